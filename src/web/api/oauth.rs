//! `/api/introspect/` (RFC 7662) and `/api/revoke/` (RFC 7009), for services next door.

use rocket::{Route, State, http::Status, post, routes};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use crate::{
    app::App,
    domain::{
        oauth::{self, Asker, Presented, Sort, Worth},
        scopes::Scopes,
    },
    error::Result,
    web::{
        body::Body,
        error::ApiError,
        guards::{
            ApiAuth,
            api_auth::{TokensIntrospect, TokensManage},
        },
        negotiation::Acceptable,
    },
};

pub fn routes() -> Vec<Route> {
    routes![introspect, revoke]
}

/// RFC 7662, 2.2. There is no `client_id`: tokens belong to people, not to clients. E-mail
/// addresses and names are left out, as nobody has checked them.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct IntrospectionResponse {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The scheme under which the token is a credential; a refresh token is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_staff: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_superuser: Option<bool>,
}

impl From<Worth> for IntrospectionResponse {
    fn from(worth: Worth) -> Self {
        let mut claims = worth.claims;
        Self {
            active: true,
            scope: worth.scopes.map(Scopes::spelled_out),
            username: Some(worth.user.username.clone()),
            token_type: Some(match worth.sort {
                Sort::Token => "Token",
                Sort::Access => "Bearer",
                Sort::Refresh => "refresh_token",
            }),
            exp: worth.expires_at,
            iat: worth.issued_at,
            sub: Some(worth.user.id.to_string()),
            jti: claims.remove("jti"),
            iss: claims.remove("iss"),
            aud: claims.remove("aud"),
            is_staff: Some(worth.user.is_staff),
            is_superuser: Some(worth.user.is_superuser),
        }
    }
}

#[post("/api/introspect", data = "<body>")]
async fn introspect(
    _as: Acceptable,
    auth: ApiAuth<TokensIntrospect>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<IntrospectionResponse>, ApiError> {
    let asker = Asker {
        by: &auth.actor,
        scopes: auth.scopes,
    };
    let worth = oauth::introspect(app, asker, &presented(&body)?).await?;
    let outcome = if worth.is_some() {
        "accepted"
    } else {
        "refused"
    };
    app.metrics.check("introspected", outcome);
    Answer::ok(worth.map(IntrospectionResponse::from).unwrap_or_default())
}

#[post("/api/revoke", data = "<body>")]
async fn revoke(
    _as: Acceptable,
    auth: ApiAuth<TokensManage>,
    app: &State<App>,
    body: Body,
) -> Result<Status, ApiError> {
    oauth::revoke(app, &auth.actor, &presented(&body)?).await?;
    Ok(Status::Ok)
}

fn presented(body: &Body) -> Result<Presented> {
    let mut read = body.reader();
    let text = read.text("token");
    read.finish()?;
    Ok(Presented::new(&text))
}
