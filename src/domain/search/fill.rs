//! Filling the column that is searched, of rows that came without: those of an older version, and those that other
//! programs put there. Rows of this program bring theirs.

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use super::{text_of_student, text_of_token, text_of_user};
use crate::{app::App, checks::Affects, db::Change, error::Result};

/// Rows in one transaction.
const BATCH: usize = 2000;

/// From so many new rows on, what the database knows of its tables is out of date.
const MANY: u64 = 10_000;

struct Table {
    name: &'static str,
    /// Rows without a text, by id, at most a batch; after the id that is bound.
    pending: &'static str,
    text: fn(&QueryResult) -> Result<String>,
}

const TABLES: [Table; 3] = [
    Table {
        name: "users",
        pending: "SELECT id, username, email, first_name, last_name FROM users \
                  WHERE search = '' AND id > $1 ORDER BY id LIMIT 2000",
        text: |row| {
            let text = |n| row.try_get_by_index::<String>(n);
            Ok(text_of_user(&text(1)?, &text(2)?, &text(3)?, &text(4)?))
        },
    },
    Table {
        name: "tokens",
        pending: "SELECT t.id, t.name, t.prefix, u.username FROM tokens t JOIN users u ON u.id = t.user_id \
                  WHERE t.search = '' AND t.id > $1 ORDER BY t.id LIMIT 2000",
        text: |row| {
            let text = |n| row.try_get_by_index::<String>(n);
            Ok(text_of_token(&text(1)?, &text(2)?, &text(3)?))
        },
    },
    Table {
        name: "students",
        pending: "SELECT id, name, roll, city FROM students WHERE search = '' AND id > $1 ORDER BY id LIMIT 2000",
        text: |row| {
            let text = |n| row.try_get_by_index::<String>(n);
            Ok(text_of_student(
                &text(1)?,
                row.try_get_by_index(2)?,
                &text(3)?,
            ))
        },
    },
];

/// Returns how many rows got theirs.
pub async fn fill(app: &App) -> Result<u64> {
    let mut filled = 0;
    for table in &TABLES {
        let mut after = 0;
        loop {
            let rows = pending(app.db.read(), table, after).await?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            filled += rows.len() as u64;
            let full = rows.len() == BATCH;
            let db = app.db.begin().await?;
            write(&db, table, rows).await?;
            // What is found changes, what anybody may do does not.
            db.commit(Affects::Nobody).await?;
            if !full {
                break;
            }
        }
    }
    if filled > 0 {
        tracing::info!(rows = filled, "made searchable");
    }
    if filled > MANY {
        app.db.analyze().await?;
    }
    Ok(filled)
}

async fn pending<C: ConnectionTrait>(
    db: &C,
    table: &Table,
    after: i64,
) -> Result<Vec<(i64, String)>> {
    let question =
        Statement::from_sql_and_values(db.get_database_backend(), table.pending, [after.into()]);
    let rows = db.query_all_raw(question).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, (table.text)(row)?)))
        .collect()
}

async fn write(db: &Change, table: &Table, rows: Vec<(i64, String)>) -> Result<()> {
    let texts = serde_json::to_string(&rows).map_err(crate::error::Error::internal)?;
    let name = table.name;
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres {
        format!(
            "UPDATE {name} SET search = v.row ->> 1 FROM json_array_elements($1::json) AS v(row) \
             WHERE {name}.id = (v.row ->> 0)::bigint AND {name}.search = ''"
        )
    } else {
        format!(
            "UPDATE {name} SET search = json_extract(v.value, '$[1]') FROM json_each($1) AS v \
             WHERE {name}.id = json_extract(v.value, '$[0]') AND {name}.search = ''"
        )
    };
    let values: [Value; 1] = [texts.into()];
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}

/// Whether searches have an index. PostgreSQL has none where its extension could not be made.
pub async fn is_indexed(app: &App) -> Result<bool> {
    if !app.db.is_postgres() {
        return Ok(true);
    }
    let sql = "SELECT COUNT(*) = 3 FROM pg_class WHERE relname IN ('idx_users_search', 'idx_tokens_search', 'idx_students_search')";
    let question = Statement::from_string(DbBackend::Postgres, sql);
    let row = app.db.read().query_one_raw(question).await?;
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or(false))
}
