//! Which JWTs no longer count, for those who verify offline: signed lists of bits in the form of
//! the IETF Token Status List. A token names a list and a place in it; both follow from its family,
//! so all tokens of a sign-in share one bit. Set is what is revoked and has not expired.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::ZlibEncoder};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use serde::Serialize;

use crate::{
    app::App,
    checks::Stamp,
    config::Config,
    domain::{
        jwt::{self, Key, Ring},
        signing_keys,
    },
    entity::{
        deleted_family,
        refresh_family::{Column, Entity, Relation},
        user,
    },
    error::{Error, Result},
    secret::Jwt,
};

/// What the header of a list calls it.
pub const TYPE: &str = "statuslist+jwt";
/// Families in a list: 16 KiB of bits before compression.
const SIZE: i64 = 1 << 17;
/// Seconds for which a verifier need not ask again.
pub const TTL: i64 = 30;
/// Seconds for which a list is good, and after which an unchanged one is signed anew.
const GOOD_FOR: i64 = 3600;
const SIGNED_ANEW: i64 = 1800;

/// A family whose refresh tokens expired before this (Unix seconds) has no token left that counts:
/// its last access token may outlive its last refresh token.
pub fn horizon(app: &App) -> i64 {
    app.now() - app.settings.longest_access(app.now()) - app.config.jwt_leeway
}

/// Where a token's bit is (the claim `status`).
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    status_list: Place,
}

#[derive(Clone, Debug, Serialize)]
struct Place {
    idx: i64,
    uri: String,
}

/// The bit of a family; `None` where the setting is off.
pub fn place(config: &Config, family_id: i64) -> Option<Status> {
    let base = base(config)?;
    let status_list = Place {
        idx: family_id % SIZE,
        uri: uri(base, family_id / SIZE),
    };
    Some(Status { status_list })
}

fn uri(base: &str, number: i64) -> String {
    format!("{base}/status-lists/{number}")
}

/// What addresses of lists begin with.
fn base(config: &Config) -> Option<&str> {
    let base = config.jwt_issuer.as_deref();
    base.filter(|_| config.jwt_status_list)
        .map(|base| base.trim_end_matches('/'))
}

/// The lists in memory.
#[derive(Debug, Default)]
pub struct StatusLists {
    lists: Mutex<HashMap<i64, Arc<List>>>,
    range: Mutex<Range>,
}

/// The first and the last list that matter, and when they were looked up (Unix seconds).
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    at: i64,
    ends: Option<(i64, i64)>,
}

impl StatusLists {
    fn remembered(&self, number: i64) -> Option<Arc<List>> {
        self.lists().get(&number).cloned()
    }

    /// `first`: the lists before it are of no use any more.
    fn remember(&self, number: i64, list: Arc<List>, first: i64) {
        let mut lists = self.lists();
        lists.retain(|number, _| *number >= first);
        lists.insert(number, list);
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<i64, Arc<List>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn range(&self) -> MutexGuard<'_, Range> {
        self.range.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds by which verifiers may be behind: how old the oldest list is that was handed out lately
/// and does not say all that has changed since.
pub fn lag(app: &App) -> i64 {
    let now = app.now();
    let behind = |list: &Arc<List>| {
        let asked_lately = now - list.asked_at.load(Ordering::Relaxed) <= 2 * TTL;
        let is_exact = app.db.checks().is_unchanged(list.stamp);
        (asked_lately && !is_exact).then(|| now - list.built_at)
    };
    let lists = app.status_lists.lists();
    lists.values().filter_map(behind).max().unwrap_or(0)
}

#[derive(Debug)]
struct List {
    stamp: Stamp,
    /// Unix seconds.
    built_at: i64,
    signed_at: i64,
    asked_at: AtomicI64,
    /// The `kid` it is signed under.
    key: String,
    bits: Vec<u8>,
    jwt: Jwt,
}

impl List {
    /// Whether its signature holds for those who have fetched the keys just now.
    fn is_well_signed(&self, ring: &Ring, now: i64) -> bool {
        let mut keys = ring.iter().filter(|key| now < key.retires_at);
        now - self.signed_at < SIGNED_ANEW && keys.any(|key| key.kid == self.key)
    }
}

/// One list, signed. `NotFound` where the setting is off or no token can name it.
pub async fn list(app: &App, number: i64) -> Result<Jwt> {
    let Some(base) = base(&app.config) else {
        return Err(Error::NotFound);
    };
    let now = app.now();
    let ring = signing_keys::ring(app).await?;
    let known = app.status_lists.remembered(number);
    let known = known.filter(|list| list.is_well_signed(&ring, now));
    if let Some(list) = &known {
        // Under many changes it is built once a second; that is the lag.
        if app.db.checks().is_unchanged(list.stamp) || list.built_at == now {
            list.asked_at.store(now, Ordering::Relaxed);
            return Ok(list.jwt.clone());
        }
    }
    let stamp = app.db.checks().stamp();
    let (first, last) = range(app).await?.ok_or(Error::NotFound)?;
    if !(first..=last).contains(&number) {
        return Err(Error::NotFound);
    }
    let bits = bits(&revoked(app, number).await?, number);
    let signer = signing_keys::signer(&ring, now)?;
    let (jwt, key, signed_at) = if let Some(known) = known.filter(|list| list.bits == bits) {
        (known.jwt.clone(), known.key.clone(), known.signed_at)
    } else {
        let jwt = sign(signer, &uri(base, number), &bits, now)?;
        (jwt, signer.kid.clone(), now)
    };
    let built = List {
        stamp,
        built_at: now,
        signed_at,
        asked_at: AtomicI64::new(now),
        key,
        bits,
        jwt: jwt.clone(),
    };
    app.status_lists.remember(number, Arc::new(built), first);
    Ok(jwt)
}

/// The addresses of all lists that a token which has not expired can name.
pub async fn all(app: &App) -> Result<Vec<String>> {
    let base = base(&app.config).ok_or(Error::NotFound)?;
    let range = range(app).await?;
    let numbers = range.map_or(0..0, |(first, last)| first..last + 1);
    Ok(numbers.map(|number| uri(base, number)).collect())
}

/// Before a user is deleted: what its tokens are must be said on.
pub async fn remember_deleted<C: ConnectionTrait>(app: &App, db: &C, user_id: i64) -> Result<()> {
    let families = Query::select()
        .columns([Column::Id, Column::ExpiresAt])
        .from(Entity)
        .and_where(Column::UserId.eq(user_id))
        .and_where(Column::ExpiresAt.gt(horizon(app)))
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(deleted_family::Entity)
        .columns([
            deleted_family::Column::Id,
            deleted_family::Column::ExpiresAt,
        ])
        .select_from(families)
        .map_err(Error::internal)?
        .on_conflict(
            OnConflict::column(deleted_family::Column::Id)
                .do_nothing()
                .to_owned(),
        );
    db.execute(&insert).await?;
    Ok(())
}

/// Forgets deleted families whose tokens have expired.
pub async fn sweep<C: ConnectionTrait>(app: &App, db: &C) -> Result<()> {
    deleted_family::Entity::delete_many()
        .filter(deleted_family::Column::ExpiresAt.lt(horizon(app)))
        .exec(db)
        .await?;
    Ok(())
}

/// The first and the last list that matter, as they were at most a second ago.
async fn range(app: &App) -> Result<Option<(i64, i64)>> {
    let now = app.now();
    let known = *app.status_lists.range();
    if known.at == now {
        return Ok(known.ends);
    }
    let (first, last) = (end(app, Order::Asc).await?, end(app, Order::Desc).await?);
    let ends = first.zip(last).map(|(a, b)| (a / SIZE, b / SIZE));
    *app.status_lists.range() = Range { at: now, ends };
    Ok(ends)
}

/// The smallest or the greatest id of a family with tokens that count, deleted ones included.
async fn end(app: &App, order: Order) -> Result<Option<i64>> {
    let family = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExpiresAt.gt(horizon(app)))
        .order_by(Column::Id, order.clone())
        .into_tuple::<i64>()
        .one(app.db.read())
        .await?;
    let deleted = deleted_family::Entity::find()
        .filter(deleted_family::Column::ExpiresAt.gt(horizon(app)))
        .order_by(deleted_family::Column::Id, order.clone())
        .one(app.db.read())
        .await?;
    let ids = family.into_iter().chain(deleted.map(|row| row.id));
    Ok(if order == Order::Asc {
        ids.min()
    } else {
        ids.max()
    })
}

/// Ids of the list's families that are revoked in any way and have not expired.
async fn revoked(app: &App, number: i64) -> Result<Vec<i64>> {
    let ids = number * SIZE..(number + 1) * SIZE;
    let ended = Condition::any()
        .add(Column::RevokedAt.is_not_null())
        .add(ExprTrait::ne(
            Expr::col((Entity, Column::Epoch)),
            Expr::col((user::Entity, user::Column::Epoch)),
        ))
        .add(user::Column::IsActive.eq(false));
    let mut revoked = Entity::find()
        .select_only()
        .column(Column::Id)
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(Column::Id.gte(ids.start))
        .filter(Column::Id.lt(ids.end))
        .filter(Column::ExpiresAt.gt(horizon(app)))
        .filter(ended)
        .into_tuple::<i64>()
        .all(app.db.read())
        .await?;
    let deleted = deleted_family::Entity::find()
        .filter(deleted_family::Column::Id.gte(ids.start))
        .filter(deleted_family::Column::Id.lt(ids.end))
        .filter(deleted_family::Column::ExpiresAt.gt(horizon(app)))
        .all(app.db.read())
        .await?;
    revoked.extend(deleted.into_iter().map(|row| row.id));
    Ok(revoked)
}

/// One bit a token, the first in the lowest bit of the first byte.
fn bits(revoked: &[i64], number: i64) -> Vec<u8> {
    let mut bits = vec![0; usize::try_from(SIZE / 8).unwrap_or(0)];
    for id in revoked {
        let at = usize::try_from(id - number * SIZE).unwrap_or(usize::MAX);
        if let Some(byte) = bits.get_mut(at / 8) {
            *byte |= 1 << (at % 8);
        }
    }
    bits
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
    ttl: i64,
    status_list: Bits,
}

#[derive(Serialize)]
struct Bits {
    bits: u8,
    lst: String,
}

fn sign(key: &Key, uri: &str, bits: &[u8], now: i64) -> Result<Jwt> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(bits).map_err(Error::internal)?;
    let zipped = zlib.finish().map_err(Error::internal)?;
    let claims = Claims {
        sub: uri,
        iat: now,
        exp: now + GOOD_FOR,
        ttl: TTL,
        status_list: Bits {
            bits: 1,
            lst: URL_SAFE_NO_PAD.encode(zipped),
        },
    };
    jwt::sign_as(TYPE, &claims, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_its_bit_agree() {
        let set = bits(&[SIZE + 9, SIZE], 1);
        assert_eq!(&set[..3], [0b1, 0b10, 0]);
    }
}
