//! `/`: what this is, and where to go.

use rocket::{State, get};
use serde::Serialize;

use crate::{
    app::App,
    domain::setup,
    web::{
        admin::index::{CALLS, Call},
        error::PageError,
        guards::MaybeSession,
        page::{Go, Page, Reply, View},
    },
};

#[derive(Serialize)]
struct Home {
    setup_open: bool,
    registration_open: bool,
    calls: &'static [Call],
}

impl View for Home {
    const TEMPLATE: &'static str = "site/home.html";

    fn title(&self) -> String {
        "Users, tokens and JWTs for your API".to_owned()
    }
}

#[get("/")]
pub async fn home(visitor: MaybeSession, app: &State<App>) -> Result<Reply, PageError> {
    if visitor.0.is_some() {
        return Ok(Go::to("/dashboard/").into());
    }
    Ok(Reply::page(&Home {
        setup_open: setup::is_open(app).await?,
        registration_open: app.settings().registration_open,
        calls: CALLS,
    }))
}

pub fn samples() -> Vec<Page> {
    let home = |setup_open| {
        Page::of(&Home {
            setup_open,
            registration_open: true,
            calls: CALLS,
        })
    };
    vec![home(true), home(false)]
}
