//! The rows of refresh families: found, inserted, ended, swept. How they are raised is `raise`.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, SqlErr,
    sea_query::Expr,
};

use super::Family;
use crate::{
    app::App,
    checks::Affects,
    domain::{actor::Actor, jwt::Claims, status_lists, users::User},
    entity::refresh_family::{ActiveModel, Column, Entity},
    error::{Error, Result},
    secret,
};

/// Seconds for which a family is kept after its last refresh token has expired, at least.
const KEPT: i64 = 86_400;

/// Deletes families whose tokens have all expired. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let kept_since = status_lists::horizon(app).min(app.now() - KEPT);
    let db = app.db.begin().await?;
    let gone = Entity::delete_many()
        .filter(Column::ExpiresAt.lt(kept_since))
        .exec(&db)
        .await?
        .rows_affected;
    status_lists::sweep(app, &db).await?;
    db.commit(Affects::Nobody).await?;
    Ok(gone)
}

pub(super) async fn end<C: ConnectionTrait>(
    db: &C,
    app: &App,
    family: &Family,
    why: &str,
) -> Result<bool> {
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
pub(super) async fn insert<C: ConnectionTrait>(
    db: &C,
    app: &App,
    user: &User,
    origin: Option<&Claims>,
    counter: i64,
    by: &Actor,
) -> Result<Family> {
    let now = app.now();
    let row = ActiveModel {
        id: NotSet,
        handle: Set(i64::from_be_bytes(secret::random()?)),
        origin_jti: Set(origin.map(|claims| claims.jti.clone())),
        user_id: Set(user.id),
        epoch: Set(user.epoch),
        counter: Set(counter),
        created_at: Set(now),
        issued_at: Set(now),
        // A token signed elsewhere may last longer than ours do, and must stay known so long.
        expires_at: Set(origin
            .map_or(0, |claims| claims.expires_at)
            .max(now + app.settings().jwt_refresh_lifetime)),
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

pub(super) async fn find(app: &App, jti: &str, user_id: i64) -> Result<Option<Family>> {
    find_in(app.db.read(), jti, user_id).await
}

pub(super) async fn find_in<C: ConnectionTrait>(
    db: &C,
    jti: &str,
    user_id: i64,
) -> Result<Option<Family>> {
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

/// The handle in a `jti` that may be ours.
pub(crate) fn handle_of(jti: &str) -> Option<i64> {
    let is_ours = jti.len() == 32 && jti.bytes().all(|b| b.is_ascii_hexdigit());
    let half = jti.get(..16).filter(|_| is_ours)?;
    u64::from_str_radix(half, 16).ok().map(u64::cast_signed)
}
