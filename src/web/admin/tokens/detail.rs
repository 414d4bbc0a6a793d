//! One token: its facts and history, and the answer to asking for a default token that exists.

use rocket::{State, get};
use serde::Serialize;

use super::{Choice, uses::UsesChart};
use crate::{
    app::App,
    domain::{
        audit,
        tokens::TokenState,
        usage::{self, DayUses, Uses},
    },
    error::Error,
    web::{
        activity::Activity,
        error::PageError,
        guards::AdminSession,
        page::{Crumb, Page, View},
        words::TokenFacts,
    },
};

#[derive(Serialize)]
struct TokenDetail {
    token: TokenFacts,
    uses: UsesChart,
    /// Where the call came from that burned it.
    burned_from: Option<String>,
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
    let uses = usage::uses_of(app, id).await?;
    let history = audit::for_object(app, "token", id, 20).await?;
    let burned = history.iter().find(|event| event.action == "token.burned");
    Ok(Page::of(&TokenDetail {
        token,
        uses: UsesChart::of(&uses),
        burned_from: burned.and_then(|event| event.address.clone()),
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
    let uses = |count| Uses {
        days: (0..30)
            .map(|n| DayUses {
                day: 1_700_006_400 + n * 86_400,
                count: n * count,
            })
            .collect(),
    };
    let burned = TokenFacts {
        is_burned: true,
        ..super::sample_facts(TokenState::Revoked)
    };
    vec![
        Page::of(&TokenDetail {
            token: token.clone(),
            uses: UsesChart::of(&uses(0)),
            burned_from: None,
            history: Vec::new(),
        }),
        Page::of(&TokenDetail {
            token: burned,
            uses: UsesChart::of(&uses(7)),
            burned_from: Some("192.0.2.7".to_owned()),
            history: Vec::new(),
        }),
        Page::of(&TokenExists {
            token,
            graces: super::GRACES,
        }),
    ]
}
