//! Ending a token whose key somebody presents (RFC 7009).

use super::{Token, find_by_digests, is_plausible, revoke};
use crate::{
    app::App,
    domain::actor::Actor,
    error::{Error, Result},
    secret::TokenKey,
};

/// Revokes the token of this key. A key that is unknown or was revoked before is fine.
/// `PermissionDenied`: of somebody whom `by` may not touch.
pub async fn revoke_presented(app: &App, by: &Actor, key: &TokenKey) -> Result<()> {
    let Some(token) = find(app, key).await? else {
        return Ok(());
    };
    match revoke(app, by, token.id).await {
        // Deleted with its owner meanwhile.
        Err(Error::NotFound) => Ok(()),
        // Revoked already, or somebody else is at it at this moment.
        Err(e @ Error::Conflict(_)) => match find(app, key).await? {
            Some(token) if token.revoked_at.is_none() => Err(e),
            _ => Ok(()),
        },
        done => done,
    }
}

/// The token of a key, whatever its state. Keys that this server never made are not looked up.
pub(super) async fn find(app: &App, key: &TokenKey) -> Result<Option<Token>> {
    if !is_plausible(&app.keys, key.expose()) {
        return Ok(None);
    }
    let digest = app.keys.token_digest(key.expose());
    let mut found = find_by_digests(app, &[digest]).await?;
    Ok(found.pop().map(|row| row.token))
}
