//! The page that asks for the password again before a dangerous act: in place of the answer to a form
//! that waits (`guards/confirmed.rs`), and by itself at `/admin/reauth/`. And the way to end it early.

use rocket::{Request, State, post};
use serde::Serialize;

use super::login::{Problem, problem};
use crate::{
    app::App,
    domain::{sessions, settings::Settings},
    error::{Error, Result},
    web::{
        error::PageError,
        flash::Flash,
        form::FormState,
        guards::{CsrfForm, UserSession, confirmed},
        page::{Go, Page, View, local},
    },
};

#[derive(Debug, Serialize)]
pub struct Confirm {
    /// What waits, in the words of its button; empty: the page was opened by itself.
    act: String,
    username: String,
    /// Where the password goes.
    action: String,
    sealed: String,
    next: String,
    cancel: String,
    /// Whether there is a password that could be asked for.
    has_password: bool,
    problem: Option<Problem>,
    form: FormState,
}

impl View for Confirm {
    const TEMPLATE: &'static str = "site/confirm.html";

    fn title(&self) -> String {
        let failed = if self.problem.is_some() {
            "Error: "
        } else {
            ""
        };
        format!("{failed}Confirm it is you")
    }
}

impl Confirm {
    /// Without a form that waits: afterwards to `next`. `refused` is what a password met.
    pub fn alone(
        app: &App,
        session: &sessions::Session,
        action: &str,
        next: &str,
        refused: Option<&Error>,
    ) -> Self {
        Self {
            act: String::new(),
            username: session.user.username.clone(),
            action: action.to_owned(),
            sealed: String::new(),
            next: next.to_owned(),
            cancel: next.to_owned(),
            has_password: sessions::has_password(app, &session.user),
            problem: refused.and_then(|e| problem(&app.settings(), e, "Check the password.")),
            form: FormState::default(),
        }
    }
}

/// In place of an answer, for `Error::Unconfirmed`. `None` where no form waits.
pub fn page(
    req: &Request<'_>,
    session: &UserSession,
    act: &str,
    refused: Option<&Error>,
) -> Result<Option<Page>> {
    let Some(parcel) = confirmed::parcel(req, act)? else {
        return Ok(None);
    };
    let in_panel = parcel.action.starts_with("/admin/");
    let home = if in_panel { "/admin/" } else { "/dashboard/" };
    let back = if parcel.back.is_empty() {
        home
    } else {
        &parcel.back
    };
    let act = if act.is_empty() {
        "What you have just sent"
    } else {
        act
    };
    Ok(Some(Page::of(&Confirm {
        act: act.to_owned(),
        sealed: parcel.sealed,
        cancel: back.to_owned(),
        ..Confirm::alone(App::of(req), &session.session, &parcel.action, "", refused)
    })))
}

#[post("/account/confirmation/end", data = "<form>")]
pub async fn end(session: &UserSession, app: &State<App>, form: CsrfForm) -> Result<Go, PageError> {
    sessions::end_confirmation(app, &session.actor, &session.session).await?;
    let to = local(form.text("next")).unwrap_or("/dashboard/");
    let done = Flash::ok("The next dangerous act asks for your password again.");
    Ok(Go::to(to).with(done))
}

pub fn samples() -> Vec<Page> {
    let sample = |act: &str, refused: Option<Error>, has_password| {
        Page::of(&Confirm {
            act: act.to_owned(),
            username: "<b>sam</b>".to_owned(),
            action: "/admin/users/7/delete/".to_owned(),
            sealed: "c2VhbGVk".to_owned(),
            next: String::new(),
            cancel: "/admin/users/7/".to_owned(),
            has_password,
            problem: refused.and_then(|e| problem(&Settings::default(), &e, "Check the password.")),
            form: FormState::default(),
        })
    };
    let wrong = Error::InvalidCredentials {
        tries_left: Some(7),
    };
    vec![
        sample("Delete <b>sam</b>", None, true),
        sample("", Some(wrong), true),
        sample("", Some(Error::Throttled { retry_after: 840 }), true),
        sample("Delete amara.okafor", None, false),
    ]
}
