//! The sealer: gives new events their place in the chain, a second or so after they were written, signs
//! checkpoints, and counts what the figures by day are made of. Not in the transactions of the events
//! themselves: each would have to wait for the one before it.

use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};
use serde_json::{Value, json};

use super::{
    AuditEvent,
    chain::{Hash, START, link},
    checkpoint::{Checkpoint, sign},
};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::daily_figures,
    entity::{
        audit_checkpoint,
        audit_event::{Column, Entity},
    },
    error::{Error, Result},
};

/// Events in one transaction.
pub(super) const BATCH: u64 = 1000;
/// After so many events there is a checkpoint, in the transaction that seals the last of them.
pub(super) const EVERY: i64 = 1000;
/// Seconds. After so long there is one if anything happened.
const AT_LEAST: i64 = Duration::from_hours(1).as_secs().cast_signed();
/// PostgreSQL's lock of the one who seals.
const LOCK: i64 = 7_205_759_403_792_794;

/// Seals what waits. Returns how many; none where another node is at it.
pub async fn seal(app: &App) -> Result<u64> {
    seal_some(app, u64::MAX).await
}

/// As `seal`, but stops after so many or a few more: what a command, or a server on its way out,
/// has time for.
pub async fn seal_some(app: &App, enough: u64) -> Result<u64> {
    let mut sealed = 0;
    loop {
        let batch = batch(app).await?;
        sealed += batch;
        if batch < BATCH || sealed >= enough {
            return Ok(sealed);
        }
    }
}

/// Where the chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    seq: i64,
    hash: Hash,
}

async fn batch(app: &App) -> Result<u64> {
    // Without the lock: mostly there is nothing to do.
    if unsealed(app.db.read(), 1).await?.is_empty() {
        return Ok(0);
    }
    let db = app.db.begin().await?;
    if !alone(&db).await? {
        return Ok(0);
    }
    let events = unsealed(&db, BATCH).await?;
    let mut end = end(&db).await?;
    let mut seals = Vec::with_capacity(events.len());
    for event in &events {
        end.seq += 1;
        end.hash = link(&end.hash, end.seq, event);
        seals.push(json!({"id": event.id, "seq": end.seq, "hash": hex::encode(end.hash)}));
    }
    write(&db, seals).await?;
    daily_figures::count(&db, &events).await?;
    let last = last_checkpoint(&db).await?;
    if end.seq - last.as_ref().map_or(0, |c| c.seq) >= EVERY {
        insert_checkpoint(app, &db, end).await?;
    }
    db.commit(Affects::Nobody).await?;
    Ok(events.len() as u64)
}

/// On SQLite who may write is alone.
async fn alone(db: &Change) -> Result<bool> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let ask = "SELECT pg_try_advisory_xact_lock($1)";
    let ask = Statement::from_sql_and_values(DbBackend::Postgres, ask, [LOCK.into()]);
    let row = db.query_one_raw(ask).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()? == Some(true))
}

async fn unsealed<C: ConnectionTrait>(db: &C, most: u64) -> Result<Vec<AuditEvent>> {
    Ok(Entity::find()
        .filter(Column::Seq.is_null())
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await?)
}

async fn end<C: ConnectionTrait>(db: &C) -> Result<End> {
    let last = Entity::find()
        .filter(Column::Seq.is_not_null())
        .order_by_desc(Column::Seq)
        .one(db)
        .await?;
    let Some(last) = last else {
        return Ok(End {
            seq: 0,
            hash: START,
        });
    };
    let hash = last.hash.as_deref().and_then(|hash| hash.try_into().ok());
    let end = last.seq.zip(hash).map(|(seq, hash)| End { seq, hash });
    end.ok_or_else(|| Error::internal(std::io::Error::other("the last seal has no hash")))
}

/// One statement for all of them.
async fn write(db: &Change, seals: Vec<Value>) -> Result<()> {
    let count = seals.len() as u64;
    let sql = if db.get_database_backend() == DbBackend::Postgres {
        "UPDATE audit_events SET seq = s.seq, hash = decode(s.hash, 'hex') \
         FROM json_to_recordset(CAST($1 AS json)) AS s(id bigint, seq bigint, hash text) \
         WHERE audit_events.id = s.id"
    } else {
        "WITH s AS MATERIALIZED (SELECT value ->> 'id' AS id, value ->> 'seq' AS seq, \
         unhex(value ->> 'hash') AS hash FROM json_each($1)) \
         UPDATE audit_events SET seq = s.seq, hash = s.hash FROM s WHERE audit_events.id = s.id"
    };
    let seals = [Value::Array(seals).to_string().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, seals);
    let sealed = db.execute_raw(statement).await?.rows_affected();
    if sealed == count {
        return Ok(());
    }
    let text = format!("{sealed} events were sealed of {count}");
    Err(Error::internal(std::io::Error::other(text)))
}

async fn last_checkpoint<C: ConnectionTrait>(db: &C) -> Result<Option<Checkpoint>> {
    Ok(audit_checkpoint::Entity::find()
        .order_by_desc(audit_checkpoint::Column::Seq)
        .one(db)
        .await?)
}

async fn insert_checkpoint(app: &App, db: &Change, end: End) -> Result<()> {
    let checkpoint = sign(&app.keys, end.seq, end.hash.to_vec(), app.now())?;
    checkpoint.into_active_model().insert(db).await?;
    Ok(())
}

/// A checkpoint if something happened since the last one and that is an hour ago.
pub async fn checkpoint_if_due(app: &App) -> Result<()> {
    let due = |last: Option<&Checkpoint>| last.is_none_or(|c| app.now() - c.at >= AT_LEAST);
    checkpoint_where(app, due).await
}

/// A checkpoint if something happened since the last one.
pub async fn checkpoint_now(app: &App) -> Result<()> {
    checkpoint_where(app, |_| true).await
}

async fn checkpoint_where(app: &App, due: impl Fn(Option<&Checkpoint>) -> bool) -> Result<()> {
    let uncovered = |end: End, last: Option<&Checkpoint>| end.seq > last.map_or(0, |c| c.seq);
    let last = last_checkpoint(app.db.read()).await?;
    if !due(last.as_ref()) || !uncovered(end(app.db.read()).await?, last.as_ref()) {
        return Ok(());
    }
    let db = app.db.begin().await?;
    if !alone(&db).await? {
        return Ok(());
    }
    // Another node may have been quicker.
    let (end, last) = (end(&db).await?, last_checkpoint(&db).await?);
    if due(last.as_ref()) && uncovered(end, last.as_ref()) {
        insert_checkpoint(app, &db, end).await?;
        db.commit(Affects::Nobody).await?;
    }
    Ok(())
}

/// The chain in three figures, for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// The place of the last sealed event; 0: none.
    pub sealed: i64,
    /// The event up to which a checkpoint signs, and when it was made.
    pub signed: Option<(i64, i64)>,
}

pub async fn chain_state(app: &App) -> Result<ChainState> {
    let sql = "SELECT (SELECT MAX(seq) FROM audit_events WHERE seq IS NOT NULL) AS sealed, \
               c.seq, c.at FROM (SELECT 1 AS one) AS one LEFT JOIN \
               (SELECT seq, at FROM audit_checkpoints ORDER BY seq DESC LIMIT 1) AS c ON TRUE";
    let read = app.db.read();
    let question = Statement::from_string(read.get_database_backend(), sql);
    let row = read.query_one_raw(question).await?;
    let number = |at: usize| -> Result<Option<i64>> {
        let row = row.as_ref();
        Ok(row
            .map(|row| row.try_get_by_index(at))
            .transpose()?
            .flatten())
    };
    Ok(ChainState {
        sealed: number(0)?.unwrap_or(0),
        signed: number(1)?.zip(number(2)?),
    })
}
