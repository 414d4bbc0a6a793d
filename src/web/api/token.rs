//! Get or create a token: `/get-token/`, `/login/` with JSON, and DRF's own `/api-token-auth/`.

use rocket::{Route, State, post, routes};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, sign_in};
use crate::{
    app::App,
    domain::{actor::Actor, tokens},
    error::{Error, Result},
    web::{
        body::Body,
        error::ApiError,
        guards::{ApiAuth, api_auth::TokensManage},
        negotiation::Acceptable,
    },
};

pub fn routes() -> Vec<Route> {
    routes![get_token, login_json, obtain_auth_token]
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Envelope {
    status: bool,
    data: TokenData,
}

#[derive(Serialize, JsonSchema)]
struct TokenData {
    #[serde(rename = "Token")]
    token: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct AuthToken {
    token: String,
}

/// The default token of whoever's password is in the body; who asks only needs a credential.
#[post("/get-token", data = "<body>")]
async fn get_token(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<Envelope>, ApiError> {
    let token = get_or_create(app, auth.actor, &body).await?;
    Answer::ok(Envelope {
        status: true,
        data: TokenData { token },
    })
}

/// The same; a form on this address is the sign-in page's.
#[post("/login", format = "json", data = "<body>")]
async fn login_json(
    as_: Acceptable,
    auth: ApiAuth<TokensManage>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<Envelope>, ApiError> {
    get_token(as_, auth, app, body).await
}

/// Without a credential, as in DRF.
#[post("/api-token-auth", data = "<body>")]
async fn obtain_auth_token(
    _as: Acceptable,
    caller: Actor,
    app: &State<App>,
    body: Body,
) -> Result<Answer<AuthToken>, ApiError> {
    let token = get_or_create(app, caller, &body).await?;
    Answer::ok(AuthToken { token })
}

async fn get_or_create(app: &App, caller: Actor, body: &Body) -> Result<String> {
    let (user, by) = sign_in(app, caller, body).await?;
    let token = tokens::get_or_create_default(app, &by, user.id).await;
    let token = token.map_err(|e| match e {
        // Deleted since its password was compared.
        Error::NotFound | Error::Conflict(_) => Error::InvalidCredentials { tries_left: None },
        other => other,
    })?;
    Ok(token.key.expose().to_owned())
}
