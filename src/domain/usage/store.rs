//! Uses of tokens in the database: written in batches, read for one token, swept when old.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use serde_json::{Value, json};

use super::{DAY, Use, day_of};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    entity::token_use::{Column, Entity},
    error::{Error, Result},
};

/// Tokens in one transaction, so that a flush never holds the writer long.
const BATCH: usize = 500;
/// Days for which counts are kept.
const KEPT: i64 = 400;
/// Days that `Uses` tells of, today included.
const SHOWN: usize = 30;
/// Rows deleted in one transaction.
const SWEPT: i64 = 5000;

/// How often a token was used, as far as it has been flushed.
#[derive(Clone, Debug)]
pub struct Uses {
    /// The last thirty, the oldest first, today last; those without a use, too.
    pub days: Vec<DayUses>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayUses {
    /// Unix seconds of midnight UTC.
    pub day: i64,
    pub count: i64,
}

impl Uses {
    pub fn today(&self) -> i64 {
        self.days.last().map_or(0, |day| day.count)
    }

    pub fn total(&self) -> i64 {
        self.days.iter().map(|day| day.count).sum()
    }
}

pub async fn uses_of(app: &App, token_id: i64) -> Result<Uses> {
    let today = day_of(app.now());
    let first = today - (i64::try_from(SHOWN).unwrap_or(30) - 1) * DAY;
    let rows = Entity::find()
        .filter(Column::TokenId.eq(token_id))
        .filter(Column::Day.gte(first))
        .filter(Column::Day.lte(today))
        .order_by_asc(Column::Day)
        .all(app.db.read())
        .await?;
    let days = (0_i64..).take(SHOWN).map(|n| {
        let day = first + n * DAY;
        let row = rows.iter().find(|row| row.day == day);
        DayUses {
            day,
            count: row.map_or(0, |row| row.count),
        }
    });
    Ok(Uses {
        days: days.collect(),
    })
}

/// Writes down what was noted since the last time; what could not be written is kept for the next.
///
/// When the connection is lost in the very moment of a commit, nobody can say whether it went
/// through: the counts of that batch are then dropped, so that nothing is ever counted twice.
pub async fn flush(app: &App) -> Result<()> {
    let noted = app.usage.take();
    if noted.unnoted > 0 {
        tracing::warn!(uses = noted.unnoted, "more tokens in use than can be noted");
    }
    let mut rest: Vec<(i64, Use)> = noted.tokens.into_iter().collect();
    // In one order everywhere, so that two nodes do not wait for each other.
    rest.sort_unstable_by_key(|(id, _)| *id);
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(BATCH));
        if let Err((e, kept)) = write(app, &rest).await {
            for (id, mut seen) in rest {
                if kept == Kept::LastUsed {
                    seen.days.clear();
                }
                app.usage.put_back(id, seen);
            }
            for (id, seen) in later {
                app.usage.put_back(id, seen);
            }
            return Err(e);
        }
        rest = later;
    }
    Ok(())
}

/// What of a failed batch may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    All,
    LastUsed,
}

async fn write(app: &App, batch: &[(i64, Use)]) -> Result<(), (Error, Kept)> {
    let all = |e| (e, Kept::All);
    let db = app.db.begin().await.map_err(all)?;
    write_last_used(&db, batch).await.map_err(all)?;
    write_counts(&db, batch).await.map_err(all)?;
    let committed = db.commit(Affects::Nobody).await;
    committed.map_err(|e| (e, Kept::LastUsed))
}

async fn write_last_used(db: &Change, batch: &[(i64, Use)]) -> Result<()> {
    let rows: Value = batch
        .iter()
        .map(|(id, seen)| json!({"id": id, "at": seen.at, "address": seen.address}))
        .collect();
    let noted = noted(db, "at bigint, address text");
    if db.get_database_backend() == DbBackend::Postgres {
        // An UPDATE takes its rows in any order; two nodes must take them in the same one.
        let lock = format!(
            "{noted} SELECT t.id FROM tokens t JOIN noted ON noted.id = t.id \
             ORDER BY t.id FOR NO KEY UPDATE OF t"
        );
        execute(db, &lock, &rows).await?;
    }
    // Another node may have seen it later.
    let update = format!(
        "{noted} UPDATE tokens SET last_used_at = noted.at, last_used_address = noted.address \
         FROM noted WHERE tokens.id = noted.id \
         AND (tokens.last_used_at IS NULL OR tokens.last_used_at < noted.at)"
    );
    execute(db, &update, &rows).await
}

async fn write_counts(db: &Change, batch: &[(i64, Use)]) -> Result<()> {
    let days = batch.iter().flat_map(|(id, seen)| {
        let of_token = move |(day, n): &(i64, i64)| json!({"id": id, "day": day, "n": n});
        seen.days.iter().map(of_token)
    });
    let rows: Value = days.collect();
    // Only of tokens that are still there.
    let insert = format!(
        "{} INSERT INTO token_uses (token_id, day, count) \
         SELECT noted.id, noted.day, noted.n FROM noted JOIN tokens ON tokens.id = noted.id \
         WHERE TRUE ORDER BY noted.id, noted.day \
         ON CONFLICT (token_id, day) DO UPDATE SET count = token_uses.count + excluded.count",
        noted(db, "day bigint, n bigint")
    );
    execute(db, &insert, &rows).await
}

/// The rows of a JSON array as a table: one statement, whose text is always the same, for a whole
/// batch. `columns` beside the id are named with PostgreSQL's types.
fn noted(db: &Change, columns: &str) -> String {
    if db.get_database_backend() == DbBackend::Postgres {
        return format!(
            "WITH noted AS (SELECT * FROM json_to_recordset(CAST($1 AS json)) \
             AS noted(id bigint, {columns}))"
        );
    }
    let names =
        std::iter::once("id").chain(columns.split(", ").filter_map(|c| c.split(' ').next()));
    let columns: Vec<String> = names
        .map(|name| format!("value ->> '{name}' AS {name}"))
        .collect();
    let columns = columns.join(", ");
    format!("WITH noted AS (SELECT {columns} FROM json_each($1))")
}

async fn execute(db: &Change, sql: &str, rows: &Value) -> Result<()> {
    let values = [rows.to_string().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await?;
    Ok(())
}

/// Deletes the counts of days long past. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let before = day_of(app.now()) - KEPT * DAY;
    let mut gone = 0;
    loop {
        let db = app.db.begin().await?;
        let delete = "DELETE FROM token_uses WHERE (token_id, day) IN \
                      (SELECT token_id, day FROM token_uses WHERE day < $1 LIMIT $2)";
        let values = [before.into(), SWEPT.into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), delete, values);
        let swept = db.execute_raw(statement).await?.rows_affected();
        db.commit(Affects::Nobody).await?;
        gone += swept;
        if swept == 0 {
            return Ok(gone);
        }
    }
}
