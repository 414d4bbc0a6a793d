//! `/account/sessions/`: the browsers in which one is signed in.

use rocket::{State, get, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::sessions::{self, Session},
    web::{
        admin::sessions::others_ended,
        error::PageError,
        flash::Flash,
        guards::{CsrfForm, UserSession},
        page::{Go, Page, View},
        words,
    },
};

const PATH: &str = "/account/sessions/";

#[derive(Serialize)]
struct OwnSessions {
    rows: Vec<Row>,
    /// Whether there are any but this one.
    others: bool,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    device: String,
    icon: &'static str,
    address: String,
    started: i64,
    last_seen: i64,
    expires: i64,
    is_this: bool,
}

impl Row {
    fn of(session: &Session, this: i64) -> Self {
        let (device, icon) = words::device(&session.user_agent);
        Self {
            id: session.id,
            device,
            icon,
            address: session.address.clone(),
            started: session.created_at,
            last_seen: session.last_seen_at,
            expires: session.expires_at,
            is_this: session.id == this,
        }
    }
}

impl View for OwnSessions {
    const TEMPLATE: &'static str = "site/account/sessions.html";

    fn title(&self) -> String {
        "Your sessions".to_owned()
    }
}

#[get("/account/sessions")]
pub async fn list(session: &UserSession, app: &State<App>) -> Result<Page, PageError> {
    let found = sessions::list_for(app, &session.session.user).await?;
    let this = session.session.id;
    Ok(Page::of(&OwnSessions {
        others: found.iter().any(|s| s.id != this),
        rows: found.iter().map(|s| Row::of(s, this)).collect(),
    }))
}

#[post("/account/sessions/end", data = "<form>")]
pub async fn end(session: &UserSession, app: &State<App>, form: CsrfForm) -> Result<Go, PageError> {
    let own = sessions::list_for(app, &session.session.user).await?;
    let id = form.text("id").parse::<i64>().ok();
    let this = session.session.id;
    let found = own.iter().find(|s| Some(s.id) == id && s.id != this);
    let said = match found {
        Some(found) => {
            sessions::end(app, &session.actor, found).await?;
            "The session has ended."
        }
        None => "It had ended already.",
    };
    Ok(Go::to(PATH).with(Flash::ok(said)))
}

#[post("/account/sessions/end-others", data = "<_form>")]
pub async fn end_others(
    session: &UserSession,
    app: &State<App>,
    _form: CsrfForm,
) -> Result<Go, PageError> {
    let gone = sessions::end_others(app, &session.actor, &session.session).await?;
    Ok(Go::to(PATH).with(others_ended(gone)))
}

pub fn samples() -> Vec<Page> {
    let row = |id| Row {
        id,
        device: "Firefox on Linux".to_owned(),
        icon: "auto",
        address: "192.0.2.7".to_owned(),
        started: 1_700_000_000,
        last_seen: 1_700_000_300,
        expires: 1_701_000_000,
        is_this: id == 1,
    };
    [false, true]
        .map(|others| {
            let rows = if others {
                vec![row(1), row(2)]
            } else {
                vec![row(1)]
            };
            Page::of(&OwnSessions { rows, others })
        })
        .into()
}
