//! A copy of a SQLite database that a server may be writing to meanwhile. What to do with it is told
//! by `docs/running.md`; PostgreSQL has `pg_dump`.

use std::path::Path;

use crate::{
    db::Db,
    error::{Error, Result},
    new_file::NewFile,
};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
};

/// Writes a consistent copy to `file`, which must not exist, with mode 0600; returns its bytes.
///
/// `VACUUM INTO` reads one snapshot: the server goes on writing, and what it writes from now on is not
/// in the copy. Under its name the copy appears when it is whole, has passed `PRAGMA integrity_check`
/// and is on the disk.
pub async fn to_file(db: &Db, file: &Path) -> Result<u64> {
    if db.read().get_database_backend() != DbBackend::Sqlite {
        let text =
            "this is PostgreSQL: back it up with pg_dump, and keep the server secret beside it";
        return Err(Error::Conflict(text.to_owned()));
    }
    let copy = NewFile::begin(file)?;
    let path = copy.path().to_str().ok_or_else(|| not_text(file))?;
    let vacuum = Statement::from_sql_and_values(
        DbBackend::Sqlite,
        "VACUUM INTO ?",
        [path.to_owned().into()],
    );
    db.read().execute_raw(vacuum).await?;
    check(path).await?;
    copy.keep()
}

/// Reads all of it and leaves no file beside it.
async fn check(path: &str) -> Result<()> {
    let copy = open(path).await?;
    let question = Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check");
    let rows = copy.query_all_raw(question).await;
    copy.close().await?;
    let mut found = Vec::new();
    for row in rows? {
        found.push(row.try_get_by_index::<String>(0)?);
    }
    if found == ["ok"] {
        return Ok(());
    }
    let text = format!("the copy is damaged, and was removed: {}", found.join("; "));
    Err(Error::internal(std::io::Error::other(text)))
}

async fn open(path: &str) -> Result<DatabaseConnection, DbErr> {
    let path = path.to_owned();
    let mut options = ConnectOptions::new("sqlite://file");
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |o| o.filename(&path).immutable(true).read_only(true));
    Database::connect(options).await
}

fn not_text(file: &Path) -> Error {
    Error::Conflict(format!("{}: the name is not UTF-8", file.display()))
}
