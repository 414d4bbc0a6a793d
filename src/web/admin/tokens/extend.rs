//! Another end for a token that works.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use super::{
    expiry::{self, Expiry, expiries, usual},
    place::Place,
};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        tokens::{self, TokenState},
    },
    error::{Error, FieldErrors, Result},
    web::{
        error::PageError,
        filters,
        flash::Flash,
        form::{FormState, Labels},
        guards::{CsrfForm, May, permission::ChangeTokens},
        page::{Crumb, Go, Page, Reply, View},
        words::TokenFacts,
    },
};

const LABELS: Labels = &[("expires", "Expires"), ("on", "Date")];

#[derive(Serialize)]
struct TokenExtend {
    form: FormState,
    expiries: Vec<Expiry>,
    longest: String,
    token: TokenFacts,
}

impl View for TokenExtend {
    const TEMPLATE: &'static str = "admin/tokens/panel/extend.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        format!("Extend “{}”", self.token.name)
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(&self.token)
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

async fn page(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    form: Option<FormState>,
) -> Result<Page> {
    let limit = tokens::longest_life(app);
    let expiries = expiries(limit);
    let form = form.unwrap_or_else(|| FormState::default().with("expires", usual(&expiries)));
    Ok(place.page(&TokenExtend {
        form,
        longest: limit.map_or_else(String::new, tokens::in_words),
        expiries,
        token: place.facts(app, by, id).await?,
    }))
}

#[get("/tokens/<id>/extend")]
pub async fn extend_form(
    session: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    extend_form_in(Place::Panel, &session.actor, app, id).await
}

pub async fn extend_form_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
) -> Result<Page, PageError> {
    Ok(page(place, by, app, id, None).await?)
}

#[post("/tokens/<id>/extend", data = "<form>")]
pub async fn extend(
    session: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    extend_in(Place::Panel, &session.actor, app, id, &form).await
}

pub async fn extend_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    form: &CsrfForm,
) -> Result<Reply, PageError> {
    place.row(app, by, id).await?;
    let done = match expiry::chosen(app, form) {
        Ok(until) => tokens::extend(app, by, id, until).await,
        Err(e) => Err(e),
    };
    match done {
        Ok(token) => {
            let text = token.expires_at.map_or_else(
                || "It does not expire.".to_owned(),
                |at| {
                    format!(
                        "It expires on {}, at {}.",
                        filters::day(at),
                        filters::utc(at)
                    )
                },
            );
            let done = Flash::ok("Saved.").text(text);
            Ok(Go::to(place.href(id)).with(done).into())
        }
        Err(Error::Validation(errors)) => {
            let typed = ["expires", "on"]
                .into_iter()
                .fold(FormState::default(), |state, name| {
                    state.with(name, form.text(name))
                });
            let form = typed.refused(&errors, LABELS);
            Ok(page(place, by, app, id, Some(form)).await?.into())
        }
        // The page then says what became of it.
        Err(Error::Conflict(text)) => {
            let mut errors = FieldErrors::default();
            errors.push("non_field_errors", text);
            let form = FormState::default().refused(&errors, LABELS);
            let page = page(place, by, app, id, Some(form)).await?;
            Ok(page.status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// For the sweep: as the owner sees it.
pub fn own_samples() -> Vec<Page> {
    vec![Place::Account.page(&TokenExtend {
        form: FormState::default().with("expires", "90"),
        expiries: expiries(None),
        longest: String::new(),
        token: super::sample_facts(TokenState::Active).own(),
    })]
}

pub fn samples() -> Vec<Page> {
    let page = |state| {
        Page::of(&TokenExtend {
            form: FormState::default().with("expires", "90"),
            expiries: expiries(None),
            longest: String::new(),
            token: super::sample_facts(state),
        })
    };
    let rotated = Page::of(&TokenExtend {
        form: FormState::default(),
        expiries: expiries(None),
        longest: String::new(),
        token: super::sample_facts(TokenState::Active).followed_by(Some(4)),
    });
    vec![page(TokenState::Active), page(TokenState::Revoked), rotated]
}
