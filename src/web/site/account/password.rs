//! `/account/password/`: a new password of one's own.

use rocket::{
    State, get,
    http::CookieJar,
    post,
    request::{FromRequest, Outcome, Request},
};
use serde::Serialize;

use crate::{
    app::App,
    domain::{sessions, settings::Settings, users},
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels, new_password},
        guards::{CsrfForm, UserSession, client, start_cookie},
        page::{Go, Page, Reply, View},
        site::login::{Problem, problem, refused},
    },
};

const LABELS: Labels = &[
    ("current_password", "Current password"),
    ("password", "New password"),
    ("confirm_password", "New password again"),
];

#[derive(Serialize)]
struct PasswordForm {
    /// Whether there is one to change.
    has_password: bool,
    problem: Option<Problem>,
    form: FormState,
}

impl View for PasswordForm {
    const TEMPLATE: &'static str = "site/account/password.html";

    fn title(&self) -> String {
        "Change your password".to_owned()
    }

    fn is_refused(&self) -> bool {
        self.problem.is_some() || self.form.has_errors()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

/// Whether cookies of this answer carry `Secure`.
pub struct Secure(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Secure {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(client::secure_cookies(req)))
    }
}

#[get("/account/password")]
pub fn form(session: &UserSession, app: &State<App>) -> Page {
    Page::of(&PasswordForm {
        has_password: sessions::has_password(app, &session.session.user),
        problem: None,
        form: FormState::default().flag("end_others", true),
    })
}

#[post("/account/password", data = "<form>")]
pub async fn change(
    session: &UserSession,
    app: &State<App>,
    cookies: &CookieJar<'_>,
    secure: Secure,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let ends_others = form.flag("end_others");
    let shown = FormState::default().flag("end_others", ends_others);
    let current = form.password("current_password");
    let (new, errors) = new_password(&form);
    let (by, session) = (&session.actor, &session.session);
    let done = if errors.is_empty() {
        users::change_password(app, by, session, current, new, ends_others).await
    } else {
        Err(users::judge_password_too(&session.user, &new, errors))
    };
    let e = match done {
        Ok(key) => {
            start_cookie(cookies, &key, secure.0);
            let said = Flash::ok("Your password is changed.").text(if ends_others {
                "Your sessions in other browsers and your JWTs have ended."
            } else {
                "Your JWTs have ended."
            });
            return Ok(Go::to("/account/password/").with(said).into());
        }
        Err(e) => e,
    };
    let view = |problem, form| {
        Page::of(&PasswordForm {
            has_password: true,
            problem,
            form,
        })
    };
    if let Error::Validation(errors) = &e {
        return Ok(view(None, shown.refused(errors, LABELS)).into());
    }
    match problem(&app.settings(), &e, "Check the current password.") {
        Some(problem) => Ok(refused(view(Some(problem), shown), &e).into()),
        None => Err(e.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let sample = |has_password, problem, form| {
        Page::of(&PasswordForm {
            has_password,
            problem,
            form,
        })
    };
    let mut errors = FieldErrors::default();
    errors.push("password", "This password is too common.");
    let wrong = Error::InvalidCredentials {
        tries_left: Some(7),
    };
    vec![
        sample(true, None, FormState::default().refused(&errors, LABELS)),
        sample(
            true,
            problem(&Settings::default(), &wrong, "Check the current password."),
            FormState::default(),
        ),
        sample(false, None, FormState::default()),
    ]
}
