//! One token: its facts and history, and the answer to asking for a default token that exists.

use rocket::{State, get};
use serde::Serialize;

use super::Choice;
use crate::{
    app::App,
    domain::{audit, tokens::TokenState},
    error::Error,
    web::{
        error::PageError,
        guards::AdminSession,
        page::{Crumb, Page, View},
        words::{Activity, TokenFacts},
    },
};

#[derive(Serialize)]
struct TokenDetail {
    token: TokenFacts,
    history: Vec<Activity>,
}

impl View for TokenDetail {
    const TEMPLATE: &'static str = "admin/tokens/detail.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        self.token.name.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }
}

#[get("/tokens/<id>")]
pub async fn detail(_session: &AdminSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    let token = super::facts(app, id).await?;
    let history = audit::for_object(app, "token", id, 20).await?;
    Ok(Page::of(&TokenDetail {
        token,
        history: history.iter().map(Activity::of_this).collect(),
    }))
}

#[derive(Serialize)]
struct TokenExists {
    token: TokenFacts,
    graces: &'static [Choice],
}

impl View for TokenExists {
    const TEMPLATE: &'static str = "admin/tokens/exists.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        "Default token".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }
}

#[get("/tokens/<id>/exists")]
pub async fn exists(_session: &AdminSession, app: &State<App>, id: i64) -> Result<Page, PageError> {
    let token = super::facts(app, id).await?;
    if !(token.is_default && token.is_active) {
        return Err(Error::NotFound.into());
    }
    Ok(Page::of(&TokenExists {
        token,
        graces: super::GRACES,
    }))
}

pub fn samples() -> Vec<Page> {
    let token = super::sample_facts(TokenState::Active);
    vec![
        Page::of(&TokenDetail {
            token: token.clone(),
            history: Vec::new(),
        }),
        Page::of(&TokenExists {
            token,
            graces: super::GRACES,
        }),
    ]
}
