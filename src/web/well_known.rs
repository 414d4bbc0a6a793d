//! What other services read about this one: the public keys (RFC 7517) and where things are
//! (RFC 8414).

use rocket::{
    Request, Response, Route, State, get,
    http::{ContentType, Header, Status},
    response::{self, Responder},
    routes,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    config::JwtAlgorithm,
    domain::{scopes::Scope, signing_keys},
    web::{error::ApiError, guards::Origin},
};

/// Seconds for which others may keep a copy: a key is published long before it signs.
const KEEP: u32 = 300;

pub fn routes() -> Vec<Route> {
    routes![jwks, authorization_server, openid_configuration]
}

/// JSON that anybody may keep for a while, with a tag to ask again by (RFC 9110, 8.8.3).
#[derive(Debug)]
struct Published {
    document: Value,
    /// Seconds.
    keep: Option<u32>,
}

impl<'r> Responder<'r, 'static> for Published {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        let body = self.document.to_string();
        let keep = self.keep.map_or_else(
            || "no-store".to_owned(),
            |seconds| format!("public, max-age={seconds}"),
        );
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..8]));
        let mut response = Response::build();
        response
            .header(Header::new("Cache-Control", keep))
            // Keys and addresses are no secret: scripts of other origins may read them.
            .header(Header::new("Access-Control-Allow-Origin", "*"))
            .header(Header::new("ETag", tag.clone()));
        if matches_tag(req, &tag) {
            return response.status(Status::NotModified).ok();
        }
        response
            .header(ContentType::JSON)
            .sized_body(body.len(), std::io::Cursor::new(body))
            .ok()
    }
}

/// Whether the caller has this already (RFC 9110, 13.1.2).
pub fn matches_tag(req: &Request<'_>, tag: &str) -> bool {
    let mut given = req
        .headers()
        .get("If-None-Match")
        .flat_map(|line| line.split(','));
    given.any(|one| matches!(one.trim().trim_start_matches("W/"), t if t == tag || t == "*"))
}

/// The keys that signatures can be checked with: of asymmetric algorithms only. The one that will
/// sign next is among them, so that nobody meets a key it has not heard of.
#[get("/.well-known/jwks.json")]
async fn jwks(app: &State<App>) -> Result<Published, ApiError> {
    Ok(Published {
        document: json!({ "keys": signing_keys::public(app).await? }),
        keep: Some(KEEP),
    })
}

#[get("/.well-known/oauth-authorization-server")]
fn authorization_server(app: &State<App>, origin: Origin) -> Published {
    metadata(app, &origin.0)
}

/// The same where many libraries look for it. This is no `OpenID` provider: it says where keys and
/// endpoints are, and signs nobody in for others.
#[get("/.well-known/openid-configuration")]
fn openid_configuration(app: &State<App>, origin: Origin) -> Published {
    metadata(app, &origin.0)
}

fn metadata(app: &App, origin: &str) -> Published {
    let config = &app.config;
    // What a client compares with `iss`; without the setting, where it found us.
    let issuer = config.jwt_issuer.as_deref();
    let issuer = issuer.filter(|text| text.starts_with("https://") || text.starts_with("http://"));
    let base = issuer.unwrap_or(origin).trim_end_matches('/');
    let at = |path: &str| format!("{base}{path}");
    let mut scopes = vec!["full"];
    scopes.extend(Scope::ALL.map(Scope::as_str));
    let mut document = json!({
        "issuer": issuer.unwrap_or(origin),
        "token_endpoint": at("/api/token/"),
        "introspection_endpoint": at("/api/introspect/"),
        "revocation_endpoint": at("/api/revoke/"),
        "scopes_supported": scopes,
        "response_types_supported": [],
        "grant_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "access_token_signing_alg_values_supported": [config.jwt_algorithm.as_str()],
    });
    if config.jwt_algorithm != JwtAlgorithm::Hs256 {
        document["jwks_uri"] = at("/.well-known/jwks.json").into();
    }
    Published {
        document,
        // Made from the caller's word on where we are, it is for this caller alone.
        keep: issuer.map(|_| KEEP),
    }
}
