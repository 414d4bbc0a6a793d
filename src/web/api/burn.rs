//! `/api/tokens/burn/`: whoever holds a key may end it. Without a credential: the key is all it takes.

use rocket::{Route, State, post, routes};
use serde::Serialize;

use super::Answer;
use crate::{
    app::App,
    domain::{actor::Actor, tokens},
    secret::TokenKey,
    web::{
        body::Body,
        error::ApiError,
        guards::throttle::{Burn, Throttle},
        negotiation::Acceptable,
    },
};

pub fn routes() -> Vec<Route> {
    routes![burn]
}

/// `{}`: known and unknown keys are answered alike.
#[derive(Serialize)]
struct Burned {}

#[post("/api/tokens/burn", data = "<body>")]
async fn burn(
    _as: Acceptable,
    _throttle: Throttle<Burn>,
    caller: Actor,
    app: &State<App>,
    body: Body,
) -> Result<Answer<Burned>, ApiError> {
    let mut read = body.reader();
    let key = TokenKey::new(read.text("token"));
    read.finish()?;
    tokens::burn(app, &caller, &key).await?;
    Answer::ok(Burned {})
}
