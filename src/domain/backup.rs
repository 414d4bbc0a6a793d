//! A copy of a SQLite database that a server may be writing to meanwhile. What to do with it is told
//! by `docs/running.md`; PostgreSQL has `pg_dump`.

use std::path::Path;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
};
use tempfile::NamedTempFile;

use crate::{
    db::Db,
    error::{Error, Result},
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
    if file.symlink_metadata().is_ok() {
        return Err(exists(file));
    }
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    // In the same folder, so that giving it its name is one step; removed if that never comes.
    let part = NamedTempFile::new_in(folder).map_err(|e| at(folder, &e))?;
    let path = part.path().to_str().ok_or_else(|| not_text(folder))?;
    let vacuum = Statement::from_sql_and_values(
        DbBackend::Sqlite,
        "VACUUM INTO ?",
        [path.to_owned().into()],
    );
    db.read().execute_raw(vacuum).await?;
    check(path).await?;
    part.as_file().sync_all().map_err(|e| at(file, &e))?;
    let copy = part.persist_noclobber(file).map_err(|e| match e.error {
        e if e.kind() == std::io::ErrorKind::AlreadyExists => exists(file),
        e => at(file, &e),
    })?;
    let bytes = copy.metadata().map_err(|e| at(file, &e))?.len();
    // The name is on the disk as well.
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| at(folder, &e))?;
    Ok(bytes)
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

fn exists(file: &Path) -> Error {
    Error::Conflict(format!("{} exists; nothing was written", file.display()))
}

fn not_text(folder: &Path) -> Error {
    Error::Conflict(format!("{}: the name is not UTF-8", folder.display()))
}

fn at(path: &Path, e: &std::io::Error) -> Error {
    Error::internal(std::io::Error::other(format!("{}: {e}", path.display())))
}
