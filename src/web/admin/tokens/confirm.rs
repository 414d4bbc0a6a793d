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
        usage::Recent,
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
    /// Why it was not done; empty: it was not tried.
    problem: String,
    token: TokenFacts,
}

impl TokenConfirm {
    fn rotate(token: TokenFacts, recent: Recent, now: i64) -> Self {
        Self {
            heading: format!("Rotate “{}”?", token.name),
            button: "Rotate".to_owned(),
            action: format!("{}rotate/", token.href),
            evidence: format!(
                "{} A new value is shown once.",
                evidence(&token, recent, now)
            ),
            graces: super::GRACES,
            problem: String::new(),
            token,
        }
    }

    fn revoke(token: TokenFacts, recent: Recent, now: i64) -> Self {
        Self {
            heading: format!("Revoke “{}”?", token.name),
            button: format!("Revoke “{}”", token.name),
            action: format!("{}revoke/", token.href),
            evidence: format!(
                "{}{}",
                evidence(&token, recent, now),
                match recent.last_day {
                    0 => "",
                    1 => " Such a request will get 401 at once.",
                    _ => " Those requests will get 401 at once.",
                }
            ),
            graces: &[],
            problem: String::new(),
            token,
        }
    }
}

/// How much it is in use: who is about to end it should know.
fn evidence(token: &TokenFacts, recent: Recent, now: i64) -> String {
    let Some(at) = token.last_used else {
        return "It has not been used yet.".to_owned();
    };
    let from = match &token.last_address {
        Some(from) => format!(", last from {from}"),
        None => String::new(),
    };
    match recent {
        Recent { last_day: 0, .. } => format!(
            "Last used {}{}.",
            filters::ago(at, now),
            from.replace(", last", ",")
        ),
        Recent {
            last_hour: 0,
            last_day,
        } => format!(
            "Used {} in the last 24 hours and not in the last hour{from}.",
            times(last_day)
        ),
        Recent {
            last_hour,
            last_day,
        } => format!(
            "Used {} in the last hour and {} in the last 24 hours{from}.",
            times(last_hour),
            times(last_day)
        ),
    }
}

fn times(n: i64) -> String {
    match n {
        1 => "once".to_owned(),
        n => format!("{} times", filters::number(n.unsigned_abs())),
    }
}

type Ask = fn(TokenFacts, Recent, i64) -> TokenConfirm;

async fn asking(place: Place, by: &Actor, app: &App, id: i64, ask: Ask) -> Result<Page, Error> {
    let row = place.row(app, by, id).await?;
    let token = place.facts_of(app, &row);
    Ok(place.page(&ask(token, row.recent, app.now())))
}

/// It could not be done: the same page, which says why and what the token is now.
async fn refused(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    (ask, problem): (Ask, String),
) -> Result<Reply, PageError> {
    let row = place.row(app, by, id).await?;
    let token = place.facts_of(app, &row);
    let view = TokenConfirm {
        problem,
        ..ask(token, row.recent, app.now())
    };
    Ok(place.page(&view).status(Status::Conflict).into())
}

impl View for TokenConfirm {
    const TEMPLATE: &'static str = "admin/tokens/panel/confirm.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        let failed = if self.problem.is_empty() {
            ""
        } else {
            "Error: "
        };
        format!("{failed}{}", self.heading)
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
    Ok(asking(place, by, app, id, TokenConfirm::rotate).await?)
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
    let old = place.row(app, by, id).await?;
    require(by, form, &old, "Rotate")?;
    match tokens::rotate(app, by, id, grace).await {
        Ok((token, key)) => {
            slots::put(app, session_id, token.id, &key).await?;
            let stops = if grace == 0 {
                "The old value has stopped working.".to_owned()
            } else {
                let now = app.now();
                let ends = old.token.expires_at;
                let at = ends.map_or(now + grace, |ends| ends.min(now + grace));
                format!(
                    "The old value stops working {}, at {}.",
                    filters::until(at, now),
                    filters::utc(at)
                )
            };
            Ok(Go::to(place.created_href(token.id))
                .with(Flash::ok("Rotated.").text(stops))
                .into())
        }
        Err(Error::Conflict(text)) => {
            refused(place, by, app, id, (TokenConfirm::rotate, text)).await
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
    Ok(asking(place, by, app, id, TokenConfirm::revoke).await?)
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
        Err(Error::Conflict(text)) => {
            refused(place, by, app, id, (TokenConfirm::revoke, text)).await
        }
        Err(other) => Err(other.into()),
    }
}

/// For the sweep: as the owner sees them.
pub fn own_samples() -> Vec<Page> {
    vec![Place::Account.page(&TokenConfirm::rotate(
        super::sample_facts(TokenState::Active).own(),
        Recent::default(),
        1_700_000_500,
    ))]
}

pub fn samples() -> Vec<Page> {
    vec![
        Page::of(&TokenConfirm::rotate(
            super::sample_facts(TokenState::Active),
            Recent::default(),
            1_700_000_500,
        )),
        Page::of(&TokenConfirm::revoke(
            super::sample_facts(TokenState::Active),
            Recent::default(),
            1_700_000_500,
        )),
        Page::of(&TokenConfirm::revoke(
            super::sample_facts(TokenState::Revoked),
            Recent::default(),
            1_700_000_500,
        )),
        Page::of(&TokenConfirm {
            problem: "It was rotated already; rotate the token that followed it.".to_owned(),
            ..TokenConfirm::rotate(
                super::sample_facts(TokenState::Active).followed_by(Some(4)),
                Recent::default(),
                1_700_000_500,
            )
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evidence_tells_how_much_a_token_is_in_use() {
        let used = TokenFacts {
            last_used: Some(1_700_000_000),
            last_address: Some("192.0.2.7".to_owned()),
            ..super::super::sample_facts(TokenState::Active)
        };
        let says = |last_hour, last_day| {
            let recent = Recent {
                last_hour,
                last_day,
            };
            evidence(&used, recent, 1_700_000_240)
        };
        assert_eq!(
            says(41, 1200),
            "Used 41 times in the last hour and 1,200 times in the last 24 hours, last from 192.0.2.7."
        );
        assert_eq!(
            says(0, 1),
            "Used once in the last 24 hours and not in the last hour, last from 192.0.2.7."
        );
        assert_eq!(says(0, 0), "Last used 4 min ago, from 192.0.2.7.");
        let unused = super::super::sample_facts(TokenState::Active);
        assert_eq!(
            evidence(&unused, Recent::default(), 0),
            "It has not been used yet."
        );
    }
}
