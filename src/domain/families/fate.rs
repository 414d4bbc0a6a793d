//! What became of the sign-in that a well-signed JWT belongs to: for those who look into why it is
//! refused. Judges as `check_access` and `advance` do, and changes nothing.

use super::{Family, find, foreign_is_current, presented};
use crate::{
    app::App,
    domain::{jwt::Claims, users::User},
    error::Result,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Alive,
    /// Its row says when and why.
    Ended,
    /// The user's epoch was raised.
    SignedOut,
    /// A refresh token that was exchanged before.
    Spent,
    /// No family knows it, and nobody else signs.
    Unknown,
}

/// `is_refresh`: an access token lives until its family ends, a refresh token until it is exchanged.
pub async fn fate(
    app: &App,
    claims: &Claims,
    user: &User,
    is_refresh: bool,
) -> Result<(Fate, Option<Family>)> {
    let Some(family) = find(app, &claims.jti, user.id).await? else {
        let fate = match foreign_is_current(claims, user) {
            Ok(()) => Fate::Alive,
            Err(_) if claims.is_shared => Fate::SignedOut,
            Err(_) => Fate::Unknown,
        };
        return Ok((fate, None));
    };
    let fate = if family.revoked_at.is_some() {
        Fate::Ended
    } else if family.epoch != user.epoch {
        Fate::SignedOut
    } else if is_refresh && presented(app, &family, &claims.jti) < family.counter {
        Fate::Spent
    } else {
        Fate::Alive
    };
    Ok((fate, Some(family)))
}
