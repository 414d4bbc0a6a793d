//! Refresh families: one row for a sign-in, with a counter. The row's counter says which refresh
//! token is live; one conditional update decides who may raise it. Ids and times of what is handed
//! out follow from the row, so a retry gets the same answer again, byte for byte.
//!
//! A `jti` is 16 hex digits of the family's handle and 16 that follow from counter and kind.
//! Rows are in `store`, their conditional update in `raise`, what is remembered of them in `memory`,
//! the tokens in `issue`.

mod fate;
mod issue;
mod memory;
mod oauth;
mod raise;
mod store;

pub use fate::{Fate, fate};
pub use issue::pair;
use issue::{answer, presented};
pub use memory::Memory;
pub use oauth::{holds_refresh, revoke};
use raise::raise;
use sea_orm::ConnectionTrait;
use serde_json::json;
pub(crate) use store::handle_of;
pub use store::sweep;
use store::{end, find, find_in, insert};

pub use crate::entity::refresh_family::Model as Family;
use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        jwt::{Claims, Kind, Subject},
        signing_keys,
        users::{self, User},
    },
    error::{Error, JwtFault, Result},
    secret::Jwt,
};

#[derive(Debug)]
pub struct TokenPair {
    pub refresh: Jwt,
    pub access: Jwt,
}

/// What a refresh gives: with rotation a new refresh token, too.
#[derive(Debug)]
pub struct Refreshed {
    pub access: Jwt,
    pub refresh: Option<Jwt>,
}

/// A sign-in: a new family, whose first `pair` is made when it is committed.
pub async fn start<C: ConnectionTrait>(
    db: &C,
    app: &App,
    user: &User,
    by: &Actor,
) -> Result<Family> {
    let family = insert(db, app, user, None, 1, by).await?;
    app.families.keep(family.clone());
    Ok(family)
}

/// A sign-in by password over the API.
pub async fn sign_in(app: &App, user: &User, by: &Actor) -> Result<TokenPair> {
    let db = app.db.begin().await?;
    let family = start(&db, app, user, by).await.map_err(|e| match e {
        // Deleted since its password was compared.
        Error::Conflict(_) => Error::InvalidCredentials { tries_left: None },
        other => other,
    })?;
    audit::record(
        &db,
        app.now(),
        by,
        Event::new("jwt.issued", Some(user.id), &user.username),
    )
    .await?;
    db.commit(Affects::Nobody).await?;
    pair(app, &family).await
}

/// Exchanges a refresh token. `JwtRefused` for a bad or used one, `NoActiveAccount` for a
/// disabled user.
pub async fn refresh(app: &App, token: &Jwt, by: &Actor) -> Result<Refreshed> {
    let claims = signing_keys::verify(app, token)
        .await?
        .expect(Kind::Refresh)
        .map_err(Error::JwtRefused)?;
    if let Some(refreshed) = unread(app, &claims, by).await? {
        return Ok(refreshed);
    }
    // Each turn that decides nothing has lost to another request that did; there are few states.
    for _ in 0..5 {
        let user = holder(app, &claims).await?;
        if !user.is_active {
            return Err(Error::NoActiveAccount);
        }
        let step = match find(app, &claims.jti, user.id).await? {
            None => adopt(app, &claims, &user, by).await?,
            Some(family) => advance(app, &claims, family, &user, by).await?,
        };
        if let Some(refreshed) = step {
            return Ok(refreshed);
        }
    }
    Err(Error::JwtRefused(JwtFault::Blacklisted))
}

/// A rotation from memory: one statement, which holds what the reads would have said. `Ok(None)`:
/// not remembered, or no longer true.
async fn unread(app: &App, claims: &Claims, by: &Actor) -> Result<Option<Refreshed>> {
    let remembered = handle_of(&claims.jti).and_then(|handle| app.families.find(handle));
    let Some(family) = remembered.filter(|_| app.settings().jwt_rotate_refresh_tokens) else {
        return Ok(None);
    };
    let live = claims.subject() == Subject::User(family.user_id)
        && presented(app, &family, &claims.jti) == family.counter;
    if live {
        rotate(app, &family, by).await
    } else {
        Ok(None)
    }
}

/// Ends the family of a refresh token (SimpleJWT's blacklist), also of one signed elsewhere.
pub async fn blacklist(app: &App, token: &Jwt, by: &Actor) -> Result<()> {
    let claims = signing_keys::verify(app, token)
        .await?
        .expect(Kind::Refresh)
        .map_err(Error::JwtRefused)?;
    let user = holder(app, &claims).await?;
    match end_presented(app, &claims, &user, by).await {
        // Somebody else adopted it in between; now it is there to be ended.
        Err(Error::Conflict(_)) => match end_presented(app, &claims, &user, by).await {
            Err(Error::Conflict(_)) => Err(Error::JwtRefused(JwtFault::Blacklisted)),
            ended => ended,
        },
        ended => ended,
    }
}

async fn end_presented(app: &App, claims: &Claims, user: &User, by: &Actor) -> Result<()> {
    let db = app.db.begin().await?;
    let family = match find_in(&db, &claims.jti, user.id).await? {
        Some(family) => family,
        None if claims.is_shared => insert(&db, app, user, Some(claims), 0, by).await?,
        None => return Err(Error::JwtRefused(JwtFault::Blacklisted)),
    };
    let number = presented(app, &family, &claims.jti);
    // Two tabs: one has just refreshed, the other signs out with what it has.
    let counts = number >= family.counter || is_retry(app, &family, number);
    let counts = counts && is_alive(&family, user);
    if !counts || !end(&db, app, &family, "logout").await? {
        return Err(Error::JwtRefused(JwtFault::Blacklisted));
    }
    let event = Event::new("jwt.family_ended", Some(user.id), &user.username);
    let event = event.with(json!({"because": "blacklist"}));
    audit::record(&db, app.now(), by, event).await?;
    db.commit(Affects::User(user.id)).await
}

/// Tells the truth about any token of ours (SimpleJWT's verify): signed, in time, not ended.
pub async fn verify(app: &App, token: &Jwt) -> Result<()> {
    let claims = signing_keys::verify(app, token).await?;
    if claims.subject() == Subject::Missing {
        return Ok(());
    }
    let user = holder(app, &claims).await?;
    if !user.is_active {
        return Err(Error::JwtRefused(JwtFault::Invalid));
    }
    match find(app, &claims.jti, user.id).await? {
        Some(family) => {
            // An access token's number is not looked at: it lives until its family ends.
            let spent = claims
                .expect(Kind::Refresh)
                .is_ok_and(|claims| presented(app, &family, &claims.jti) < family.counter);
            if spent || !is_alive(&family, &user) {
                return Err(Error::JwtRefused(JwtFault::Blacklisted));
            }
            Ok(())
        }
        None => foreign_is_current(&claims, &user).map_err(Error::JwtRefused),
    }
}

/// Whether an access token still counts: its family lives, or it was signed elsewhere and later
/// than the user's last "log out everywhere".
pub async fn check_access(app: &App, claims: &Claims, user: &User) -> Result<(), Error> {
    let alive = match find(app, &claims.jti, user.id).await? {
        Some(family) => is_alive(&family, user),
        None => foreign_is_current(claims, user).is_ok(),
    };
    if alive {
        Ok(())
    } else {
        Err(Error::JwtRefused(JwtFault::Blacklisted))
    }
}

/// The user of a token that is exchanged; a deleted one makes the token invalid.
async fn holder(app: &App, claims: &Claims) -> Result<User> {
    let user = match claims.subject() {
        Subject::User(id) => users::find(app, id).await?,
        Subject::Nobody | Subject::Missing => None,
    };
    user.ok_or(Error::JwtRefused(JwtFault::Invalid))
}

/// A good token that no family knows: signed under the shared key by another server.
/// `Ok(None)`: somebody else adopted it meanwhile.
async fn adopt(app: &App, claims: &Claims, user: &User, by: &Actor) -> Result<Option<Refreshed>> {
    foreign_is_current(claims, user).map_err(Error::JwtRefused)?;
    let counter = i64::from(app.settings().jwt_rotate_refresh_tokens);
    let db = app.db.begin().await?;
    let family = match insert(&db, app, user, Some(claims), counter, by).await {
        Ok(family) => family,
        Err(Error::Conflict(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    db.commit(Affects::Nobody).await?;
    let refreshed = answer(app, &family).await?;
    app.families.keep(family);
    Ok(Some(refreshed))
}

/// One step of a known family. `Ok(None)`: another request was quicker, look again.
async fn advance(
    app: &App,
    claims: &Claims,
    family: Family,
    user: &User,
    by: &Actor,
) -> Result<Option<Refreshed>> {
    if !is_alive(&family, user) {
        return Err(Error::JwtRefused(JwtFault::Blacklisted));
    }
    let now = app.now();
    let number = presented(app, &family, &claims.jti);
    if number == family.counter {
        if !app.settings().jwt_rotate_refresh_tokens {
            return Ok(Some(answer(app, &family).await?));
        }
        return rotate(app, &family, by).await;
    }
    if is_retry(app, &family, number) {
        return Ok(Some(answer(app, &family).await?));
    }
    let db = app.db.begin().await?;
    if end(&db, app, &family, "replay").await? {
        let event = Event::new("jwt.replayed", Some(user.id), &user.username).with(json!({
            "rotated_from": family.address,
            "replayed_from": by.address_text(),
        }));
        audit::record(&db, now, by, event).await?;
        db.commit(Affects::User(user.id)).await?;
        app.metrics.replay();
    }
    Err(Error::JwtRefused(JwtFault::Blacklisted))
}

/// The next token of the family. `Ok(None)`: another request was quicker, or the family or its user
/// is no longer what it was.
async fn rotate(app: &App, family: &Family, by: &Actor) -> Result<Option<Refreshed>> {
    let now = app.now();
    let next = Family {
        counter: family.counter + 1,
        issued_at: now,
        // Never earlier: the tokens before it must stay known as long as they last.
        expires_at: family
            .expires_at
            .max(now + app.settings().jwt_refresh_lifetime),
        address: by.address_text(),
        ..family.clone()
    };
    if !raise(app, family, &next).await? {
        return Ok(None);
    }
    let refreshed = answer(app, &next).await?;
    app.families.keep(next);
    Ok(Some(refreshed))
}

/// Whether this number is the one before the live one, and that is very young.
fn is_retry(app: &App, family: &Family, number: i64) -> bool {
    number == family.counter - 1
        && app.now() - family.issued_at <= app.settings().jwt_refresh_retry_window
        && app.settings().jwt_rotate_refresh_tokens
}

fn is_alive(family: &Family, user: &User) -> bool {
    family.revoked_at.is_none() && family.epoch == user.epoch && user.is_active
}

/// Of a token that no family knows. Where nobody else signs, its family is long gone.
fn foreign_is_current(claims: &Claims, user: &User) -> Result<(), JwtFault> {
    if !claims.is_shared {
        return Err(JwtFault::Blacklisted);
    }
    // Whole seconds: a token of the same second may be older, so it goes.
    if user.epoch > 0 && claims.issued_at <= user.epoch_at {
        return Err(JwtFault::Blacklisted);
    }
    Ok(())
}
