//! Which JWTs no longer count, for those who verify offline: signed lists of bits in the form of
//! the IETF Token Status List. A token names a list and a place in it; both follow from its family,
//! so all tokens of a sign-in share one bit. Set is what is revoked and has not expired.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        Arc, Mutex, PoisonError,
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
    domain::{jwt, signing_keys},
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
    lag: AtomicI64,
}

impl StatusLists {
    /// Seconds by which the list that was handed out last was behind the database.
    pub fn lag(&self) -> i64 {
        self.lag.load(Ordering::Relaxed)
    }

    fn remembered(&self, number: i64) -> Option<Arc<List>> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.get(&number).cloned()
    }

    /// `first`: the lists before it are of no use any more.
    fn remember(&self, number: i64, list: Arc<List>, first: i64) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|number, _| *number >= first);
        lists.insert(number, list);
    }
}

#[derive(Debug)]
struct List {
    stamp: Stamp,
    /// Unix seconds.
    built_at: i64,
    signed_at: i64,
    bits: Vec<u8>,
    jwt: Jwt,
}

/// One list, signed. `NotFound` where the setting is off or no token can name it.
pub async fn list(app: &App, number: i64) -> Result<Jwt> {
    let Some(base) = base(&app.config) else {
        return Err(Error::NotFound);
    };
    let now = app.now();
    let known = app.status_lists.remembered(number);
    if let Some(list) = &known {
        // Under many changes it is built once a second; that is the lag.
        let is_exact = app.db.checks().is_unchanged(list.stamp);
        if (is_exact || list.built_at == now) && now - list.signed_at < SIGNED_ANEW {
            let behind = if is_exact { 0 } else { now - list.built_at };
            app.status_lists.lag.store(behind, Ordering::Relaxed);
            return Ok(list.jwt.clone());
        }
    }
    let stamp = app.db.checks().stamp();
    let (first, last) = range(app).await?.ok_or(Error::NotFound)?;
    if !(first..=last).contains(&number) {
        return Err(Error::NotFound);
    }
    let bits = bits(&revoked(app, number).await?, number);
    let same = known.filter(|list| list.bits == bits && now - list.signed_at < SIGNED_ANEW);
    let (jwt, signed_at) = match same {
        Some(known) => (known.jwt.clone(), known.signed_at),
        None => (sign(app, &uri(base, number), &bits).await?, now),
    };
    let built = List {
        stamp,
        built_at: now,
        signed_at,
        bits,
        jwt: jwt.clone(),
    };
    app.status_lists.lag.store(0, Ordering::Relaxed);
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
        .and_where(Column::ExpiresAt.gt(app.now()))
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
        .filter(deleted_family::Column::ExpiresAt.lt(app.now()))
        .exec(db)
        .await?;
    Ok(())
}

/// The first and the last list that matter.
async fn range(app: &App) -> Result<Option<(i64, i64)>> {
    let end = async |order: Order| -> Result<Option<i64>> {
        let family = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::ExpiresAt.gt(app.now()))
            .order_by(Column::Id, order.clone())
            .into_tuple::<i64>()
            .one(app.db.read())
            .await?;
        let deleted = deleted_family::Entity::find()
            .filter(deleted_family::Column::ExpiresAt.gt(app.now()))
            .order_by(deleted_family::Column::Id, order.clone())
            .one(app.db.read())
            .await?;
        let ids = family.into_iter().chain(deleted.map(|row| row.id));
        Ok(if matches!(order, Order::Asc) {
            ids.min()
        } else {
            ids.max()
        })
    };
    let (first, last) = (end(Order::Asc).await?, end(Order::Desc).await?);
    Ok(first.zip(last).map(|(a, b)| (a / SIZE, b / SIZE)))
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
        .filter(Column::ExpiresAt.gt(app.now()))
        .filter(ended)
        .into_tuple::<i64>()
        .all(app.db.read())
        .await?;
    let deleted = deleted_family::Entity::find()
        .filter(deleted_family::Column::Id.gte(ids.start))
        .filter(deleted_family::Column::Id.lt(ids.end))
        .filter(deleted_family::Column::ExpiresAt.gt(app.now()))
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

async fn sign(app: &App, uri: &str, bits: &[u8]) -> Result<Jwt> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(bits).map_err(Error::internal)?;
    let zipped = zlib.finish().map_err(Error::internal)?;
    let now = app.now();
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
    let ring = signing_keys::ring(app).await?;
    jwt::sign_as(TYPE, &claims, signing_keys::signer(&ring, now)?)
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
