//! Refresh families: one row for a sign-in, with a counter. The row's counter says which refresh
//! token is live; one conditional update decides who may raise it. Ids and times of what is handed
//! out follow from the row, so a retry gets the same answer again, byte for byte.
//!
//! A `jti` is 16 hex digits of the family's handle and 16 that follow from counter and kind.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, SqlErr,
    sea_query::Expr,
};
use serde_json::json;

pub use crate::entity::refresh_family::Model as Family;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit::{self, Event},
        jwt::{self, Claims, Kind, NewClaims, Subject},
        users::{self, User},
    },
    entity::refresh_family::{ActiveModel, Column, Entity},
    error::{Error, JwtFault, Result},
    secret::{self, Jwt},
};

/// Seconds for which a family is kept after its last token has expired.
const KEPT: i64 = 86_400;

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

/// A sign-in: a new family and its first pair.
pub async fn start<C: ConnectionTrait>(
    db: &C,
    app: &App,
    user: &User,
    by: &Actor,
) -> Result<TokenPair> {
    let family = insert(db, app, user, None, 1, by).await?;
    pair(app, &family)
}

/// A sign-in by password over the API.
pub async fn sign_in(app: &App, user: &User, by: &Actor) -> Result<TokenPair> {
    let db = app.db.begin().await?;
    let pair = start(&db, app, user, by).await?;
    audit::record(
        &db,
        app.now(),
        by,
        Event::new("jwt.issued", Some(user.id), &user.username),
    )
    .await?;
    db.commit().await?;
    Ok(pair)
}

/// Exchanges a refresh token. `JwtRefused` for a bad or used one, `NoActiveAccount` for a
/// disabled user.
pub async fn refresh(app: &App, token: &Jwt, by: &Actor) -> Result<Refreshed> {
    let claims = read(app, token)?
        .expect(Kind::Refresh)
        .map_err(Error::JwtRefused)?;
    let user = holder(app, &claims).await?;
    if !user.is_active {
        return Err(Error::NoActiveAccount);
    }
    // Each turn that decides nothing has lost to another request that did; there are few states.
    for _ in 0..5 {
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

/// Ends the family of a refresh token (SimpleJWT's blacklist), also of one signed elsewhere.
pub async fn blacklist(app: &App, token: &Jwt, by: &Actor) -> Result<()> {
    let claims = read(app, token)?
        .expect(Kind::Refresh)
        .map_err(Error::JwtRefused)?;
    let user = holder(app, &claims).await?;
    let db = app.db.begin().await?;
    let family = match find_in(&db, &claims.jti, user.id).await? {
        Some(family) => family,
        None => insert(&db, app, &user, Some(&claims.jti), 0, by).await?,
    };
    if !is_alive(&family, &user) || presented(app, &family, &claims.jti) < family.counter {
        return Err(Error::JwtRefused(JwtFault::Blacklisted));
    }
    end(&db, app, &family, "logout").await?;
    let event = Event::new("jwt.family_ended", Some(user.id), &user.username);
    audit::record(
        &db,
        app.now(),
        by,
        event.with(json!({"because": "blacklist"})),
    )
    .await?;
    db.commit().await?;
    Ok(())
}

/// Tells the truth about any token of ours (SimpleJWT's verify): signed, in time, not ended.
pub async fn verify(app: &App, token: &Jwt) -> Result<()> {
    let claims = read(app, token)?;
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
            let is_refresh = claims.expect(Kind::Refresh);
            let used = is_refresh
                .is_ok_and(|claims| presented(app, &family, &claims.jti) < family.counter);
            if used || !is_alive(&family, &user) {
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

/// Deletes families whose tokens have all expired. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let db = app.db.begin().await?;
    let gone = Entity::delete_many()
        .filter(Column::ExpiresAt.lt(app.now() - KEPT))
        .exec(&db)
        .await?
        .rows_affected;
    db.commit().await?;
    Ok(gone)
}

fn read(app: &App, token: &Jwt) -> Result<Claims> {
    jwt::verify(token, app.keys.jwt_key(), app.now()).map_err(Error::JwtRefused)
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
    let counter = i64::from(app.config.jwt_rotate_refresh_tokens);
    let db = app.db.begin().await?;
    let family = match insert(&db, app, user, Some(&claims.jti), counter, by).await {
        Ok(family) => family,
        Err(Error::Conflict(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    db.commit().await?;
    Ok(Some(answer(app, &family)?))
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
        if !app.config.jwt_rotate_refresh_tokens {
            return Ok(Some(answer(app, &family)?));
        }
        let next = Family {
            counter: family.counter + 1,
            issued_at: now,
            expires_at: now + app.config.jwt_refresh_lifetime,
            address: by.address_text(),
            ..family.clone()
        };
        return Ok(if raise(app, &family, &next).await? {
            Some(answer(app, &next)?)
        } else {
            None
        });
    }
    let retry = number == family.counter - 1
        && now - family.issued_at <= app.config.jwt_refresh_retry_window
        && app.config.jwt_rotate_refresh_tokens;
    if retry {
        return Ok(Some(answer(app, &family)?));
    }
    let db = app.db.begin().await?;
    if end(&db, app, &family, "replay").await? {
        let event = Event::new("jwt.replayed", Some(user.id), &user.username).with(json!({
            "rotated_from": family.address,
            "replayed_from": by.address_text(),
        }));
        audit::record(&db, now, by, event).await?;
        db.commit().await?;
    }
    Err(Error::JwtRefused(JwtFault::Blacklisted))
}

/// The conditional update: true for exactly one of those who hold the same token.
async fn raise(app: &App, family: &Family, next: &Family) -> Result<bool> {
    let db = app.db.begin().await?;
    let won = Entity::update_many()
        .col_expr(Column::Counter, Expr::value(next.counter))
        .col_expr(Column::IssuedAt, Expr::value(next.issued_at))
        .col_expr(Column::ExpiresAt, Expr::value(next.expires_at))
        .col_expr(Column::Address, Expr::value(next.address.clone()))
        .filter(Column::Id.eq(family.id))
        .filter(Column::Counter.eq(family.counter))
        .filter(Column::RevokedAt.is_null())
        .exec(&db)
        .await?
        .rows_affected
        == 1;
    db.commit().await?;
    Ok(won)
}

async fn end<C: ConnectionTrait>(db: &C, app: &App, family: &Family, why: &str) -> Result<bool> {
    let ended = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(app.now()))
        .col_expr(Column::RevokedBecause, Expr::value(why))
        .filter(Column::Id.eq(family.id))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?
        .rows_affected;
    Ok(ended == 1)
}

/// Fails with `Conflict` where the origin has a family already.
async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    user: &User,
    origin: Option<&str>,
    counter: i64,
    by: &Actor,
) -> Result<Family> {
    let now = app.now();
    let row = ActiveModel {
        id: NotSet,
        handle: Set(i64::from_be_bytes(secret::random()?)),
        origin_jti: Set(origin.map(str::to_owned)),
        user_id: Set(user.id),
        epoch: Set(user.epoch),
        counter: Set(counter),
        created_at: Set(now),
        issued_at: Set(now),
        expires_at: Set(now + app.config.jwt_refresh_lifetime),
        address: Set(by.address_text()),
        revoked_at: Set(None),
        revoked_because: Set(None),
    };
    Entity::insert(row)
        .exec_with_returning(db)
        .await
        .map_err(|e| match e.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::Conflict("family".to_owned()),
            _ => e.into(),
        })
}

async fn find(app: &App, jti: &str, user_id: i64) -> Result<Option<Family>> {
    find_in(app.db.read(), jti, user_id).await
}

async fn find_in<C: ConnectionTrait>(db: &C, jti: &str, user_id: i64) -> Result<Option<Family>> {
    let mine = Entity::find().filter(Column::UserId.eq(user_id));
    if let Some(handle) = handle_of(jti) {
        let family = mine
            .clone()
            .filter(Column::Handle.eq(handle))
            .one(db)
            .await?;
        if family.is_some() {
            return Ok(family);
        }
    }
    Ok(mine.filter(Column::OriginJti.eq(jti)).one(db).await?)
}

fn is_alive(family: &Family, user: &User) -> bool {
    family.revoked_at.is_none() && family.epoch == user.epoch && user.is_active
}

fn foreign_is_current(claims: &Claims, user: &User) -> Result<(), JwtFault> {
    // Whole seconds: a token of the same second may be older, so it goes.
    if user.epoch > 0 && claims.issued_at <= user.epoch_at {
        return Err(JwtFault::Blacklisted);
    }
    Ok(())
}

/// The number of the refresh token that was shown; -1 for one older than the previous.
fn presented(app: &App, family: &Family, jti: &str) -> i64 {
    if family.origin_jti.as_deref() == Some(jti) {
        return 0;
    }
    [family.counter, family.counter - 1]
        .into_iter()
        .find(|counter| jti_of(app, family, *counter, Kind::Refresh) == jti)
        .unwrap_or(-1)
}

fn handle_of(jti: &str) -> Option<i64> {
    let is_ours = jti.len() == 32 && jti.bytes().all(|b| b.is_ascii_hexdigit());
    let half = jti.get(..16).filter(|_| is_ours)?;
    u64::from_str_radix(half, 16).ok().map(u64::cast_signed)
}

fn jti_of(app: &App, family: &Family, counter: i64, kind: Kind) -> String {
    let handle = family.handle.to_be_bytes();
    let tag = app
        .keys
        .jti_tag(&[&handle, &counter.to_be_bytes(), kind.as_str().as_bytes()]);
    format!("{}{}", hex::encode(handle), hex::encode(&tag[..8]))
}

fn answer(app: &App, family: &Family) -> Result<Refreshed> {
    if app.config.jwt_rotate_refresh_tokens {
        let pair = pair(app, family)?;
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
    Ok(Refreshed {
        access: token(app, family, Kind::Access, &jti, app.now())?,
        refresh: None,
    })
}

fn pair(app: &App, family: &Family) -> Result<TokenPair> {
    let make = |kind| {
        token(
            app,
            family,
            kind,
            &jti_of(app, family, family.counter, kind),
            family.issued_at,
        )
    };
    Ok(TokenPair {
        refresh: make(Kind::Refresh)?,
        access: make(Kind::Access)?,
    })
}

fn token(app: &App, family: &Family, kind: Kind, jti: &str, iat: i64) -> Result<Jwt> {
    let lifetime = match kind {
        Kind::Access => app.config.jwt_access_lifetime,
        Kind::Refresh => app.config.jwt_refresh_lifetime,
    };
    let claims = NewClaims {
        token_type: kind.as_str(),
        exp: iat + lifetime,
        iat,
        jti,
        user_id: family.user_id.to_string(),
    };
    jwt::sign(&claims, app.keys.jwt_key())
}
