//! Ids that were handed out once are not handed out again, though their rows are gone: JWTs and places
//! in status lists name them. So the counters behind the ids move, too.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::table::Table;
use crate::error::Result;

/// The highest id that the database has handed out, 0 for none.
pub(super) async fn highest<C: ConnectionTrait>(db: &C, table: &Table) -> Result<i64> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => "SELECT pg_sequence_last_value(pg_get_serial_sequence($1, 'id'))",
        _ => "SELECT seq FROM sqlite_sequence WHERE name = $1",
    };
    // Null or no row: none yet.
    let row = ask(db, sql, table).await?;
    Ok(row.unwrap_or(0))
}

/// The next id is one above `highest`. PostgreSQL keeps this even where the transaction fails, which
/// does no harm.
pub(super) async fn set<C: ConnectionTrait>(db: &C, table: &Table, highest: i64) -> Result<()> {
    if highest == 0 {
        return Ok(());
    }
    let backend = db.get_database_backend();
    let run = async |sql: &str| {
        let values = [table.name.into(), highest.into()];
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await
    };
    if backend == DbBackend::Postgres {
        run("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)").await?;
        return Ok(());
    }
    // SQLite keeps the table, but lets it be written to.
    let raised = run("UPDATE sqlite_sequence SET seq = $2 WHERE name = $1").await?;
    if raised.rows_affected() == 0 {
        run("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)").await?;
    }
    Ok(())
}

async fn ask<C: ConnectionTrait>(db: &C, sql: &str, table: &Table) -> Result<Option<i64>> {
    let values = [table.name.into()];
    let question = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(question).await?;
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .flatten())
}
