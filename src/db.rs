//! The database: SQLite (one writer, readers beside it) or PostgreSQL (one pool), behind one door.
//! What is stored is decided in `entity` and `domain`; how it got there, in `migration`.

use std::{path::Path, time::Duration};

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::{config::Config, error::Result};

/// Readers beside SQLite's one writer.
const READERS: u32 = 4;

#[derive(Clone, Debug)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
}

impl Db {
    /// Opens the database; a SQLite file and its folder are made if absent.
    pub async fn connect(config: &Config) -> Result<Self, DbErr> {
        if config.is_postgres() {
            let mut options = options(&config.database_url);
            options
                .max_connections(10)
                .acquire_timeout(Duration::from_secs(10));
            let pool = Database::connect(options).await?;
            return Ok(Self {
                read: pool.clone(),
                write: pool,
            });
        }
        let path = config
            .database_url
            .trim_start_matches("sqlite:")
            .trim_start_matches("//");
        let path = path.split('?').next().unwrap_or_default();
        if let Some(folder) = Path::new(path)
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
        {
            make_private_folder(folder)
                .map_err(|e| DbErr::Custom(format!("{}: {e}", folder.display())))?;
        }
        make_private_file(Path::new(path)).map_err(|e| DbErr::Custom(format!("{path}: {e}")))?;
        // WAL lets readers go on beside the writer. FULL: a commit that was answered survives a
        // power cut, too. One writer: nobody ever sees "database is locked".
        let write = Database::connect(sqlite(path, 1)).await?;
        let read = Database::connect(sqlite(path, READERS)).await?;
        Ok(Self { read, write })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        if self.write.get_database_backend() == sea_orm::DbBackend::Postgres {
            return self.migrate_alone().await;
        }
        Migrator::up(&self.write, None).await
    }

    /// Two nodes that start at once must not migrate at once: the second waits for the lock that
    /// the first one's transaction holds.
    async fn migrate_alone(&self) -> Result<(), DbErr> {
        let lock = self.write.begin().await?;
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(7205759403792793)")
            .await?;
        Migrator::up(&self.write, None).await?;
        lock.commit().await
    }

    /// Whether all migrations have run.
    pub async fn is_migrated(&self) -> Result<bool, DbErr> {
        Ok(Migrator::get_pending_migrations(&self.write)
            .await?
            .is_empty())
    }

    /// For questions only.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For changes: a transaction that holds the write lock from its start.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.write.begin_with_options(options).await?)
    }

    /// Waits for what is under way and closes; SQLite then folds its log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.read.close().await?;
        self.write.close().await
    }
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(30));
    options
}

fn sqlite(path: &str, connections: u32) -> ConnectOptions {
    // The path goes in as it is: in a URL its signs would have to be escaped.
    let path = path.to_owned();
    let mut options = options("sqlite://file");
    options
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .max_lifetime(None)
        .idle_timeout(None)
        .map_sqlx_sqlite_opts(move |o| {
            o.filename(&path)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("busy_timeout", "5000")
        });
    options
}

/// A file only its owner can read; SQLite gives its log the same rights.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

/// A folder only its owner can enter.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
