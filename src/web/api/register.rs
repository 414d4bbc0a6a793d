//! `POST /registerapi/`: a new account and its first pair of JWTs.

use rocket::{Route, State, post, routes};
use schemars::JsonSchema;
use serde::Serialize;

use super::Answer;
use crate::{
    app::App,
    domain::{families::TokenPair, users},
    web::{
        body::Body,
        error::ApiError,
        guards::{ApiAuth, Throttle, api_auth::UsersWrite, throttle},
        negotiation::Acceptable,
    },
};

pub fn routes() -> Vec<Route> {
    routes![register]
}

/// Field order is what clients of the Django stack see.
#[derive(Serialize, JsonSchema)]
pub(super) struct PairResponse {
    refresh: String,
    access: String,
}

impl From<TokenPair> for PairResponse {
    fn from(pair: TokenPair) -> Self {
        Self {
            refresh: pair.refresh.expose().to_owned(),
            access: pair.access.expose().to_owned(),
        }
    }
}

#[post("/registerapi", data = "<body>")]
async fn register(
    _as: Acceptable,
    auth: ApiAuth<UsersWrite>,
    _throttle: Throttle<throttle::Register>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<PairResponse>, ApiError> {
    let mut read = body.reader();
    let username = read.text("username");
    let password = read.password("password");
    let confirm = read.password("confirm_password");
    if read.is_clean() && password != confirm {
        read.complain("confirm_password", "The two passwords do not match.");
    }
    read.finish()?;
    let (_, pair) = users::register(app, &auth.actor, username, password).await?;
    Answer::ok(pair.into())
}
