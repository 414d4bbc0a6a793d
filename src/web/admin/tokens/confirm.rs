//! Rotating and revoking, each after a page that carries the evidence.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::Choice;
use crate::{
    app::App,
    domain::{
        permissions::Record,
        slots,
        tokens::{self, TokenState},
    },
    error::Error,
    web::{
        error::PageError,
        filters,
        flash::Flash,
        guards::{
            CsrfForm, May,
            permission::{ChangeTokens, DeleteTokens},
        },
        page::{Crumb, Go, Page, Reply, View},
        words::TokenFacts,
    },
};

#[derive(Serialize)]
struct TokenConfirm {
    heading: String,
    button: String,
    action: String,
    evidence: String,
    /// Empty: it is about revoking.
    graces: &'static [Choice],
    token: TokenFacts,
}

impl TokenConfirm {
    fn rotate(token: TokenFacts, now: i64) -> Self {
        Self {
            heading: format!("Rotate “{}”?", token.name),
            button: "Rotate".to_owned(),
            action: format!("{}rotate/", token.href),
            evidence: format!("A new value is shown once. {}", evidence(&token, now)),
            graces: super::GRACES,
            token,
        }
    }

    fn revoke(token: TokenFacts, now: i64) -> Self {
        Self {
            heading: format!("Revoke “{}”?", token.name),
            button: format!("Revoke “{}”", token.name),
            action: format!("{}revoke/", token.href),
            evidence: format!(
                "{} Requests with it get 401 at once.",
                evidence(&token, now)
            ),
            graces: &[],
            token,
        }
    }
}

fn evidence(token: &TokenFacts, now: i64) -> String {
    match (token.last_used, &token.last_address) {
        (None, _) => "It has not been used yet.".to_owned(),
        (Some(at), None) => format!("Last used {}.", filters::ago(at, now)),
        (Some(at), Some(from)) => format!("Last used {}, from {from}.", filters::ago(at, now)),
    }
}

impl View for TokenConfirm {
    const TEMPLATE: &'static str = "admin/tokens/confirm.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        self.heading.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(&self.token)
    }
}

#[get("/tokens/<id>/rotate")]
pub async fn rotate_form(
    _may: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    Ok(Page::of(&TokenConfirm::rotate(
        super::facts(app, id).await?,
        app.now(),
    )))
}

#[post("/tokens/<id>/rotate", data = "<form>")]
pub async fn rotate(
    session: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let grace = super::GRACES.iter().find(|g| g.value == form.text("grace"));
    let grace = grace
        .and_then(|g| g.value.parse::<i64>().ok())
        .ok_or(Error::NotFound)?;
    match tokens::rotate(app, &session.actor, id, grace).await {
        Ok((token, key)) => {
            slots::put(app, session.session.id, token.id, &key).await?;
            let stops = match grace {
                0 => "The old value has stopped working.".to_owned(),
                _ => format!("The old value stops working {}.", filters::until(grace, 0)),
            };
            Ok(Go::to(super::created_href(&token))
                .with(Flash::ok("Rotated.").text(stops))
                .into())
        }
        // The page then says that it was revoked or has expired, and when.
        Err(Error::Conflict(_)) => {
            let view = TokenConfirm::rotate(super::facts(app, id).await?, app.now());
            Ok(Page::of(&view).status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

#[get("/tokens/<id>/revoke")]
pub async fn revoke_form(
    _may: May<'_, DeleteTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    Ok(Page::of(&TokenConfirm::revoke(
        super::facts(app, id).await?,
        app.now(),
    )))
}

#[post("/tokens/<id>/revoke", data = "<_form>")]
pub async fn revoke(
    session: May<'_, DeleteTokens>,
    app: &State<App>,
    id: i64,
    _form: CsrfForm,
) -> Result<Reply, PageError> {
    let token = super::facts(app, id).await?;
    match tokens::revoke(app, &session.actor, id).await {
        Ok(()) => {
            let done = Flash::ok(format!("“{}” of {} is revoked.", token.name, token.owner));
            let to = session.or_dashboard(Record::Tokens, "/admin/tokens/".to_owned());
            Ok(Go::to(to).with(done).into())
        }
        Err(Error::Conflict(_)) => {
            let view = TokenConfirm::revoke(super::facts(app, id).await?, app.now());
            Ok(Page::of(&view).status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    vec![
        Page::of(&TokenConfirm::rotate(
            super::sample_facts(TokenState::Active),
            1_700_000_500,
        )),
        Page::of(&TokenConfirm::revoke(
            super::sample_facts(TokenState::Active),
            1_700_000_500,
        )),
        Page::of(&TokenConfirm::revoke(
            super::sample_facts(TokenState::Revoked),
            1_700_000_500,
        )),
    ]
}
