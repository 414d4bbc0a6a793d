//! What other services read about this one: the public keys (RFC 7517) and where things are
//! (RFC 8414).

use rocket::{Route, State, get, http::ContentType, routes};
use serde_json::{Value, json};

use crate::{
    app::App,
    config::is_address,
    domain::{scopes::Scope, signing_keys},
    error::Error,
    web::{error::ApiError, guards::Origin, published::Published},
};

/// Seconds for which others may keep a copy: no key signs before it was published so long.
fn keep() -> u32 {
    u32::try_from(signing_keys::PUBLISHED).unwrap_or(0)
}

pub fn routes() -> Vec<Route> {
    routes![jwks, authorization_server, openid_configuration]
}

/// The keys that signatures can be checked with: of asymmetric algorithms only. The one that will
/// sign next is among them, so that nobody meets a key it has not heard of.
#[get("/.well-known/jwks.json")]
async fn jwks(app: &State<App>) -> Result<Published, ApiError> {
    let keys = signing_keys::public(app).await?;
    Ok(document(json!({ "keys": keys }), Some(keep())))
}

#[get("/.well-known/oauth-authorization-server")]
async fn authorization_server(app: &State<App>, origin: Origin) -> Result<Published, ApiError> {
    metadata(app, &origin.0).await
}

/// The same where many libraries look for it. This is no `OpenID` provider: it says where keys and
/// endpoints are, and signs nobody in for others.
#[get("/.well-known/openid-configuration")]
async fn openid_configuration(app: &State<App>, origin: Origin) -> Result<Published, ApiError> {
    metadata(app, &origin.0).await
}

/// `NotFound` where the setting's issuer is no address: clients compare it with where they found us.
async fn metadata(app: &App, origin: &str) -> Result<Published, ApiError> {
    let config = &app.config;
    let issuer = config.jwt_issuer.as_deref().unwrap_or(origin);
    if !is_address(issuer) {
        return Err(Error::NotFound.into());
    }
    let base = issuer.trim_end_matches('/');
    let at = |path: &str| format!("{base}{path}");
    let mut scopes = vec!["full"];
    scopes.extend(Scope::ALL.map(Scope::as_str));
    let mut metadata = json!({
        "issuer": issuer,
        "token_endpoint": at("/api/token/"),
        "introspection_endpoint": at("/api/introspect/"),
        "revocation_endpoint": at("/api/revoke/"),
        "scopes_supported": scopes,
        "response_types_supported": [],
        "grant_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    // Also after a change to HS256, as long as what they signed counts.
    if !signing_keys::public(app).await?.is_empty() {
        metadata["jwks_uri"] = at("/.well-known/jwks.json").into();
    }
    if config.jwt_status_list {
        metadata["status_list_aggregation_endpoint"] = at("/status-lists/").into();
    }
    // Made from the caller's word on where we are, it is for this caller alone.
    let keep = config.jwt_issuer.as_ref().map(|_| keep());
    Ok(document(metadata, keep))
}

fn document(body: Value, keep: Option<u32>) -> Published {
    Published {
        content_type: ContentType::JSON,
        body: body.to_string(),
        keep,
    }
}
