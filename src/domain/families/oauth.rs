//! What services next door ask of JWTs (`domain/oauth`): whether a refresh token is the live one of
//! its family, and to end a family. Neither exchanges anything.

use serde_json::json;

use super::{end, find, find_in, foreign_is_current, holder, insert, is_alive, presented};
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        jwt::{Claims, Kind},
        permissions::{Act, Permission, Record},
        signing_keys,
        users::{self, User},
    },
    error::{Error, JwtFault, Result},
    secret::Jwt,
};

/// Whose live refresh token this is; `None` for everything else. A spent one is not live, though
/// exchanging it inside the retry window still gives its successor; asking about it ends nothing.
pub async fn holds_refresh(app: &App, token: &Jwt) -> Result<Option<User>> {
    let claims = match signing_keys::verify(app, token).await {
        Ok(claims) => claims.expect(Kind::Refresh).ok(),
        Err(Error::JwtRefused(_)) => None,
        Err(e) => return Err(e),
    };
    let Some(claims) = claims else {
        return Ok(None);
    };
    let user = match holder(app, &claims).await {
        Ok(user) if user.is_active => user,
        Ok(_) | Err(Error::JwtRefused(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    let is_live = match find(app, &claims.jti, user.id).await? {
        Some(family) => {
            is_alive(&family, &user) && presented(app, &family, &claims.jti) == family.counter
        }
        None => foreign_is_current(&claims, &user).is_ok(),
    };
    Ok(is_live.then_some(user))
}

/// Ends the family of an access or refresh token, spent ones included: the whole sign-in. One that
/// was signed elsewhere gets an ended family of its own. What does not count any more is fine.
///
/// `UnsupportedTokenType`: well signed, but neither of the two. `PermissionDenied`: of somebody whom
/// `by` may not touch.
pub async fn revoke(app: &App, by: &Actor, token: &Jwt) -> Result<()> {
    let claims = match signing_keys::verify(app, token).await {
        Ok(claims) if claims.is_of_a_sign_in() => claims,
        Ok(_) | Err(Error::JwtRefused(JwtFault::NoExpiry | JwtFault::NoId)) => {
            return Err(Error::UnsupportedTokenType);
        }
        Err(Error::JwtRefused(_)) => return Ok(()),
        Err(e) => return Err(e),
    };
    let user = match holder(app, &claims).await {
        Ok(user) => user,
        Err(Error::JwtRefused(_)) => return Ok(()),
        Err(e) => return Err(e),
    };
    match end_family(app, by, &claims, user.id).await {
        // Somebody else adopted it in between; now it is there to be ended.
        Err(Error::Conflict(_)) => end_family(app, by, &claims, user.id).await,
        ended => ended,
    }
}

async fn end_family(app: &App, by: &Actor, claims: &Claims, user_id: i64) -> Result<()> {
    let db = app.db.begin().await?;
    let user = match users::get_in(&db, user_id).await {
        Ok(user) => user,
        // Deleted meanwhile, and the token with it.
        Err(Error::NotFound) => return Ok(()),
        Err(e) => return Err(e),
    };
    users::may_act(by, &user, Permission::new(Act::Delete, Record::Sessions))?;
    let family = match find_in(&db, &claims.jti, user.id).await? {
        Some(family) => family,
        None => insert(&db, app, &user, Some(claims), 0, by).await?,
    };
    if !end(&db, app, &family, "revoked").await? {
        return Ok(());
    }
    let event = Event::new("jwt.family_ended", Some(user.id), &user.username);
    let event = event.with(json!({"because": "revoked"}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(user.id)).await
}
