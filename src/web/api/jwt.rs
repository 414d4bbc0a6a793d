//! SimpleJWT's four views. They look at the body only, never at `Authorization` or cookies.

use rocket::{Route, State, post, routes};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, register::PairResponse, sign_in};
use crate::{
    app::App,
    domain::{actor::Actor, families},
    secret::Jwt,
    web::{body::Body, error::ApiError, negotiation::Acceptable, refused::InBody},
};

pub fn routes() -> Vec<Route> {
    routes![obtain_pair, refresh, verify, blacklist]
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RefreshResponse {
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

/// `{}`.
#[derive(Serialize, JsonSchema)]
pub(super) struct Empty {}

#[post("/api/token", data = "<body>")]
async fn obtain_pair(
    _as: Acceptable,
    caller: Actor,
    app: &State<App>,
    body: Body,
) -> Result<Answer<PairResponse>, ApiError> {
    let (user, by) = sign_in(app, caller, &body).await?;
    Answer::ok(families::sign_in(app, &user, &by).await?.into())
}

#[post("/api/token/refresh", data = "<body>")]
async fn refresh(
    _as: Acceptable,
    caller: Actor,
    shown: InBody,
    app: &State<App>,
    body: Body,
) -> Result<Answer<RefreshResponse>, ApiError> {
    let token = only(&body, "refresh")?;
    shown.refresh(&token);
    let refreshed = families::refresh(app, &token, &caller).await?;
    Answer::ok(RefreshResponse {
        access: refreshed.access.expose().to_owned(),
        refresh: refreshed.refresh.map(|jwt| jwt.expose().to_owned()),
    })
}

#[post("/api/token/verify", data = "<body>")]
async fn verify(
    _as: Acceptable,
    shown: InBody,
    app: &State<App>,
    body: Body,
) -> Result<Answer<Empty>, ApiError> {
    let token = only(&body, "token")?;
    shown.any_jwt(&token);
    families::verify(app, &token).await?;
    Answer::ok(Empty {})
}

#[post("/api/token/blacklist", data = "<body>")]
async fn blacklist(
    _as: Acceptable,
    caller: Actor,
    shown: InBody,
    app: &State<App>,
    body: Body,
) -> Result<Answer<Empty>, ApiError> {
    let token = only(&body, "refresh")?;
    shown.refresh(&token);
    families::blacklist(app, &token, &caller).await?;
    Answer::ok(Empty {})
}

fn only(body: &Body, field: &'static str) -> Result<Jwt, ApiError> {
    let mut read = body.reader();
    let text = read.text(field);
    read.finish()?;
    Ok(Jwt::new(text))
}
