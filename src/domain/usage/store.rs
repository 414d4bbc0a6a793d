//! Uses of tokens in the database: written in batches, swept when old. What is read is in `seen`.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use super::{ADDRESSES, DAY, Use, day_of};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    error::{Error, Result},
};

/// Tokens in one transaction, so that a flush never holds the writer long.
const BATCH: usize = 500;
/// Seconds for which slots are kept.
const SLOTS_KEPT: i64 = 2 * DAY;
/// Rows deleted in one transaction.
const SWEPT: i64 = 5000;

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
                    seen.slots.clear();
                    seen.from.iter_mut().for_each(|from| from.count = 0);
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
    write_addresses(&db, batch).await.map_err(all)?;
    let committed = db.commit(Affects::Nobody).await;
    committed.map_err(|e| (e, Kept::LastUsed))
}

async fn write_last_used(db: &Change, batch: &[(i64, Use)]) -> Result<()> {
    let rows = batch.iter().filter_map(|(id, seen)| {
        let (at, address) = seen.last()?;
        Some(json!({"id": id, "at": at, "address": address}))
    });
    let rows: Value = rows.collect();
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
    let days = batch.iter().map(|(id, seen)| (*id, seen.days()));
    count(db, "token_uses", "day", days).await?;
    let slots = batch.iter().map(|(id, seen)| (*id, seen.slots.clone()));
    count(db, "token_slots", "slot", slots).await
}

/// Adds to what is counted; only of tokens that are still there.
async fn count(
    db: &Change,
    table: &str,
    column: &str,
    counts: impl Iterator<Item = (i64, Vec<(i64, i64)>)>,
) -> Result<()> {
    let rows = counts.flat_map(|(id, counts)| {
        let row = move |(start, n)| json!({"id": id, "start": start, "n": n});
        counts.into_iter().map(row)
    });
    let rows: Value = rows.collect();
    let insert = format!(
        "{} INSERT INTO {table} (token_id, {column}, count) \
         SELECT noted.id, noted.start, noted.n FROM noted JOIN tokens ON tokens.id = noted.id \
         WHERE TRUE ORDER BY noted.id, noted.start \
         ON CONFLICT (token_id, {column}) DO UPDATE SET count = {table}.count + excluded.count",
        noted(db, "start bigint, n bigint")
    );
    execute(db, &insert, &rows).await
}

/// The addresses, and of those tokens whose list got too long, the oldest out.
async fn write_addresses(db: &Change, batch: &[(i64, Use)]) -> Result<()> {
    let rows = batch.iter().flat_map(|(id, seen)| {
        seen.from.iter().map(
            move |from| json!({"id": id, "address": from.address, "at": from.at, "n": from.count}),
        )
    });
    let rows: Value = rows.collect();
    let noted = noted(db, "address text, at bigint, n bigint");
    let later = if db.get_database_backend() == DbBackend::Postgres {
        "GREATEST(token_addresses.last_at, excluded.last_at)"
    } else {
        "MAX(token_addresses.last_at, excluded.last_at)"
    };
    let insert = format!(
        "{noted} INSERT INTO token_addresses (token_id, address, last_at, count) \
         SELECT noted.id, noted.address, noted.at, noted.n \
         FROM noted JOIN tokens ON tokens.id = noted.id \
         WHERE TRUE ORDER BY noted.id, noted.address \
         ON CONFLICT (token_id, address) DO UPDATE SET last_at = {later}, \
         count = token_addresses.count + excluded.count"
    );
    execute(db, &insert, &rows).await?;
    let trim = format!(
        "{noted}, crowded AS (SELECT token_id FROM token_addresses \
         WHERE token_id IN (SELECT id FROM noted) GROUP BY token_id HAVING COUNT(*) > {ADDRESSES}), \
         ranked AS (SELECT token_id, address, ROW_NUMBER() OVER \
         (PARTITION BY token_id ORDER BY last_at DESC, address) AS place FROM token_addresses \
         WHERE token_id IN (SELECT token_id FROM crowded)) \
         DELETE FROM token_addresses WHERE (token_id, address) IN \
         (SELECT token_id, address FROM ranked WHERE place > {ADDRESSES})"
    );
    execute(db, &trim, &rows).await
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

/// Deletes the counts of days long past, and of slots past. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let kept = app.settings().token_uses_kept_days * DAY;
    let days = delete_before(app, "token_uses", "day", day_of(app.now()) - kept).await?;
    let slots = delete_before(app, "token_slots", "slot", app.now() - SLOTS_KEPT).await?;
    Ok(days + slots)
}

async fn delete_before(app: &App, table: &str, column: &str, before: i64) -> Result<u64> {
    let mut gone = 0;
    loop {
        let db = app.db.begin().await?;
        let delete = format!(
            "DELETE FROM {table} WHERE (token_id, {column}) IN \
             (SELECT token_id, {column} FROM {table} WHERE {column} < $1 LIMIT $2)"
        );
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
