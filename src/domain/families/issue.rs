//! What a family hands out. Ids and times follow from its row, so that a retry gets the same again.

use super::{Family, Refreshed, TokenPair};
use crate::{
    app::App,
    domain::{
        jwt::{self, Audience, Kind, NewClaims, Ring},
        signing_keys, status_lists,
    },
    error::Result,
    secret::{self, Jwt},
};

/// The number of the refresh token that was shown; -1 for one older than the previous.
pub(super) fn presented(app: &App, family: &Family, jti: &str) -> i64 {
    if family.origin_jti.as_deref() == Some(jti) {
        return 0;
    }
    [family.counter, family.counter - 1]
        .into_iter()
        .find(|counter| jti_of(app, family, *counter, Kind::Refresh) == jti)
        .unwrap_or(-1)
}

fn jti_of(app: &App, family: &Family, counter: i64, kind: Kind) -> String {
    let handle = family.handle.to_be_bytes();
    let tag = app
        .keys
        .jti_tag(&[&handle, &counter.to_be_bytes(), kind.as_str().as_bytes()]);
    format!("{}{}", hex::encode(handle), hex::encode(&tag[..8]))
}

pub(super) async fn answer(app: &App, family: &Family) -> Result<Refreshed> {
    if app.settings().jwt_rotate_refresh_tokens {
        let pair = pair(app, family).await?;
        return Ok(Refreshed {
            access: pair.access,
            refresh: Some(pair.refresh),
        });
    }
    // Without rotation every access token is a new one: its tag is drawn, not derived.
    let jti = format!(
        "{}{}",
        hex::encode(family.handle.to_be_bytes()),
        hex::encode(secret::random::<8>()?)
    );
    let ring = signing_keys::ring(app).await?;
    Ok(Refreshed {
        access: token(app, &ring, family, Kind::Access, &jti, app.now())?,
        refresh: None,
    })
}

/// What a family hands out now. Not inside a transaction: the signing keys may have to be read.
pub async fn pair(app: &App, family: &Family) -> Result<TokenPair> {
    let ring = signing_keys::ring(app).await?;
    let make = |kind| {
        let jti = jti_of(app, family, family.counter, kind);
        token(app, &ring, family, kind, &jti, family.issued_at)
    };
    Ok(TokenPair {
        refresh: make(Kind::Refresh)?,
        access: make(Kind::Access)?,
    })
}

fn token(app: &App, ring: &Ring, family: &Family, kind: Kind, jti: &str, iat: i64) -> Result<Jwt> {
    let exp = match kind {
        Kind::Access => iat + app.settings().jwt_access_lifetime,
        // A retry after the setting was raised gets nothing that outlives its family.
        Kind::Refresh => (iat + app.settings().jwt_refresh_lifetime).min(family.expires_at),
    };
    let claims = NewClaims {
        token_type: kind.as_str(),
        exp,
        iat,
        jti,
        user_id: family.user_id.to_string(),
        aud: Audience::of(&app.config),
        iss: app.config.jwt_issuer.as_deref(),
        status: status_lists::place(&app.config, family.id),
    };
    jwt::sign(&claims, signing_keys::signer(ring, iat)?)
}
