//! Rotating and revoking, each after a page that carries the evidence.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{Choice, place::Place};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        permissions::{Act, Permission, Record},
        slots,
        tokens::{self, TokenRow, TokenState},
    },
    error::Error,
    web::{
        error::PageError,
        filters,
        flash::Flash,
        guards::{
            ConfirmableForm, May,
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
    const TEMPLATE: &'static str = "admin/tokens/panel/confirm.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        self.heading.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(&self.token)
    }
}

const VIEW: Permission = Permission::new(Act::View, Record::Tokens);

/// Other people's tokens need the password.
fn require(by: &Actor, form: &ConfirmableForm, row: &TokenRow, act: &str) -> Result<(), Error> {
    if by.user_id == Some(row.owner.id) {
        return Ok(());
    }
    let name = if row.token.is_default {
        "Default token"
    } else {
        &row.token.name
    };
    form.require(format!("{act} “{name}” of {}", row.owner.username))
}

#[get("/tokens/<id>/rotate")]
pub async fn rotate_form(
    may: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    rotate_form_in(Place::Panel, &may.actor, app, id).await
}

pub async fn rotate_form_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
) -> Result<Page, PageError> {
    let token = place.facts(app, by, id).await?;
    Ok(place.page(&TokenConfirm::rotate(token, app.now())))
}

#[post("/tokens/<id>/rotate", data = "<form>")]
pub async fn rotate(
    session: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let (by, session_id) = (&session.actor, session.session.id);
    rotate_in(Place::Panel, by, session_id, app, id, &form).await
}

/// The new value is shown once, to the session.
pub async fn rotate_in(
    place: Place,
    by: &Actor,
    session_id: i64,
    app: &App,
    id: i64,
    form: &ConfirmableForm,
) -> Result<Reply, PageError> {
    let grace = super::GRACES.iter().find(|g| g.value == form.text("grace"));
    let grace = grace
        .and_then(|g| g.value.parse::<i64>().ok())
        .ok_or(Error::NotFound)?;
    require(by, form, &place.row(app, by, id).await?, "Rotate")?;
    match tokens::rotate(app, by, id, grace).await {
        Ok((token, key)) => {
            slots::put(app, session_id, token.id, &key).await?;
            let stops = match grace {
                0 => "The old value has stopped working.".to_owned(),
                _ => format!("The old value stops working {}.", filters::until(grace, 0)),
            };
            Ok(Go::to(place.created_href(token.id))
                .with(Flash::ok("Rotated.").text(stops))
                .into())
        }
        // The page then says that it was revoked or has expired, and when.
        Err(Error::Conflict(_)) => {
            let view = TokenConfirm::rotate(place.facts(app, by, id).await?, app.now());
            Ok(place.page(&view).status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

#[get("/tokens/<id>/revoke")]
pub async fn revoke_form(
    may: May<'_, DeleteTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    revoke_form_in(Place::Panel, &may.actor, app, id).await
}

pub async fn revoke_form_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
) -> Result<Page, PageError> {
    let token = place.facts(app, by, id).await?;
    Ok(place.page(&TokenConfirm::revoke(token, app.now())))
}

#[post("/tokens/<id>/revoke", data = "<form>")]
pub async fn revoke(
    session: May<'_, DeleteTokens>,
    app: &State<App>,
    id: i64,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    revoke_in(Place::Panel, &session.actor, app, id, &form).await
}

pub async fn revoke_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    form: &ConfirmableForm,
) -> Result<Reply, PageError> {
    let row = place.row(app, by, id).await?;
    require(by, form, &row, "Revoke")?;
    let token = place.facts_of(app, &row);
    match tokens::revoke(app, by, id).await {
        Ok(()) => {
            let done = match place {
                Place::Account => Flash::ok(format!("“{}” is revoked.", token.name)),
                Place::Panel => {
                    Flash::ok(format!("“{}” of {} is revoked.", token.name, token.owner))
                }
            };
            let seen = place == Place::Account || by.may(VIEW);
            Ok(Go::to(if seen { place.list() } else { "/admin/" })
                .with(done)
                .into())
        }
        Err(Error::Conflict(_)) => {
            let view = TokenConfirm::revoke(place.facts(app, by, id).await?, app.now());
            Ok(place.page(&view).status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// For the sweep: as the owner sees them.
pub fn own_samples() -> Vec<Page> {
    vec![Place::Account.page(&TokenConfirm::rotate(
        super::sample_facts(TokenState::Active).own(),
        1_700_000_500,
    ))]
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
