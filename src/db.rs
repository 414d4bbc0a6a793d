//! The database: SQLite (one writer, readers beside it) or PostgreSQL (one pool), behind one door.
//! What is stored is decided in `entity` and `domain`; how it got there, in `migration`.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use migration::{Migrator, MigratorTrait, async_trait::async_trait};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, EntityTrait, ExecResult, IsolationLevel, QueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, Value,
};

use crate::{
    checks::{Affects, Checks},
    config::Config,
    echo::Heard,
    entity::meta,
    error::Result,
};

/// Readers beside SQLite's one writer.
const READERS: u32 = 4;

#[derive(Clone, Debug)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
    news: News,
    checks: Arc<Checks>,
}

/// How other processes on the same database hear of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// PostgreSQL's NOTIFY.
    Notify,
    /// A counter in a row: for commands beside a running server on one SQLite file.
    Counter,
    /// There is nobody else.
    None,
}

/// The channel of NOTIFY.
pub const CHANNEL: &str = "latchkey";

/// Who opens the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The server; on SQLite it is the only one.
    Server,
    /// A command, perhaps beside a server.
    Command,
}

/// A transaction whose end says whom it affects.
#[derive(Debug)]
pub struct Change {
    inner: DatabaseTransaction,
    news: News,
    checks: Arc<Checks>,
}

impl Db {
    /// Opens the database; a SQLite file and its folder are made if absent.
    pub async fn connect(config: &Config, opener: Opener) -> Result<Self, DbErr> {
        let checks = Arc::new(Checks::default());
        if config.is_postgres() {
            // The driver would repeat the whole text, password included.
            if PgConnectOptions::from_str(&config.database_url).is_err() {
                return Err(DbErr::Custom(
                    "its URL cannot be read; write signs such as # / ? @ in a password as %23 %2F %3F %40"
                        .to_owned(),
                ));
            }
            // Until `news` listens.
            checks.hear(false);
            let mut options = options(&config.database_url);
            options
                .max_connections(10)
                .acquire_timeout(Duration::from_secs(10));
            let pool = Database::connect(options).await?;
            return Ok(Self {
                read: pool.clone(),
                write: pool,
                news: News::Notify,
                checks,
            });
        }
        let path = config.sqlite_path();
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
        let news = if opener == Opener::Server {
            News::None
        } else {
            News::Counter
        };
        Ok(Self {
            read,
            write,
            news,
            checks,
        })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        if self.is_postgres() {
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
        migration::index_searches(&self.write).await?;
        lock.commit().await
    }

    /// Whether the database answers and all migrations have run. Asks and changes nothing.
    pub async fn is_migrated(&self) -> Result<bool, DbErr> {
        Ok(self.migrations().await? >= Migrator::migrations().len())
    }

    /// As `is_migrated`, and no later version has run migrations of its own.
    pub async fn is_of_this_version(&self) -> Result<bool, DbErr> {
        Ok(self.migrations().await? == Migrator::migrations().len())
    }

    /// How many migrations have run.
    async fn migrations(&self) -> Result<usize, DbErr> {
        let backend = self.read.get_database_backend();
        let ping = Statement::from_string(backend, "SELECT 1");
        self.read.query_one_raw(ping).await?;
        // Without the table nothing has run yet.
        let count = Statement::from_string(backend, "SELECT COUNT(*) FROM seaql_migrations");
        let Ok(Some(row)) = self.read.query_one_raw(count).await else {
            return Ok(0);
        };
        let applied: i64 = row.try_get_by_index(0)?;
        Ok(usize::try_from(applied).unwrap_or(0))
    }

    /// The names of all tables, also of those that are not ours.
    pub async fn tables(&self) -> Result<Vec<String>, DbErr> {
        let sql = if self.is_postgres() {
            "SELECT table_name::text FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        } else {
            // Without those that FTS5 keeps its index in.
            "SELECT name FROM pragma_table_list \
             WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        };
        let question = Statement::from_string(self.read.get_database_backend(), sql);
        let rows = self.read.query_all_raw(question).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    pub fn is_postgres(&self) -> bool {
        self.read.get_database_backend() == DbBackend::Postgres
    }

    /// One moment of the database, for questions whose answers must agree. Changes nothing.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let mut options = TransactionOptions::default();
        // On SQLite every transaction is one.
        if self.is_postgres() {
            options.isolation_level = Some(IsolationLevel::RepeatableRead);
            options.access_mode = Some(AccessMode::ReadOnly);
        }
        self.read.begin_with_options(options).await
    }

    /// For questions only.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Open connections, and those of them without work.
    pub fn connections(&self) -> (u32, usize) {
        if self.is_postgres() {
            let pool = self.read.get_postgres_connection_pool();
            return (pool.size(), pool.num_idle());
        }
        let pools = [&self.read, &self.write].map(DatabaseConnection::get_sqlite_connection_pool);
        let open = pools.iter().map(|pool| pool.size()).sum();
        (open, pools.iter().map(|pool| pool.num_idle()).sum())
    }

    /// What is remembered of the answers.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// For changes: a transaction that holds the write lock from its start.
    pub async fn begin(&self) -> Result<Change> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.write.begin_with_options(options).await?;
        Ok(Change {
            inner,
            news: self.news,
            checks: self.checks.clone(),
        })
    }

    /// A change that is one statement, affects nobody's credentials and needs no event in the audit:
    /// it commits by itself, as durable as a transaction, at a third of the round trips. Returns
    /// what it returns. Everything else goes through `begin`.
    pub async fn change_alone<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<QueryResult>> {
        let backend = self.write.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(self.write.query_all_raw(statement).await?)
    }

    /// Lets SQLite's planner know what the tables hold by now. PostgreSQL looks by itself.
    pub async fn optimize(&self) -> Result<()> {
        if !self.is_postgres() {
            self.write.execute_unprepared("PRAGMA optimize").await?;
        }
        Ok(())
    }

    /// As `optimize`, at once and for all tables: after many rows came.
    pub async fn analyze(&self) -> Result<()> {
        self.write.execute_unprepared("ANALYZE").await?;
        Ok(())
    }

    /// Calls `seen` at each statement; before anybody has a clone of this.
    pub fn on_statement(&mut self, seen: impl Fn() + Clone + Send + Sync + 'static) {
        let beside = seen.clone();
        self.read.set_metric_callback(move |_| beside());
        self.write.set_metric_callback(move |_| seen());
    }

    /// The counter that commands beside the server raise.
    pub async fn outside_changes(&self) -> Result<i64> {
        let row = meta::Entity::find_by_id(COUNTER).one(&self.read).await?;
        Ok(row.and_then(|row| row.value.parse().ok()).unwrap_or(0))
    }

    /// Waits for what is under way and closes; SQLite then folds its log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.read.close().await?;
        self.write.close().await
    }
}

/// The row of `News::Counter`.
const COUNTER: &str = "outside_changes";

impl Change {
    /// Ends the transaction and drops what is remembered of those it affects: here before this
    /// returns; on other nodes, too, unless their news are late.
    pub async fn commit(self, affects: Affects) -> Result<()> {
        let heard = match affects.write() {
            Some(text) => self.tell(&text).await?,
            None => None,
        };
        let committed = self.inner.commit().await;
        // Also where it failed: a lost connection does not say whether the commit went through.
        self.checks.changed(affects);
        committed?;
        if let Some(heard) = heard {
            // The change stands, whether it is heard or not.
            self.checks.echo().wait(heard).await;
        }
        Ok(())
    }

    async fn tell(&self, text: &str) -> Result<Option<Heard>> {
        match self.news {
            News::None => Ok(None),
            News::Notify => {
                // Who does not listen would wait for nothing.
                let awaited = (!self.checks.is_deaf()).then(|| self.checks.echo().expect());
                let number = awaited.as_ref().map_or(0, |(number, _)| *number);
                let payload = format!("{:x} {number} {text}", self.checks.echo().node());
                let notify = Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    "SELECT pg_notify($1, $2)",
                    [CHANNEL.into(), payload.into()],
                );
                self.inner.execute_raw(notify).await?;
                Ok(awaited.map(|(_, heard)| heard))
            }
            News::Counter => {
                let raise = "INSERT INTO meta (key, value) VALUES ('outside_changes', '1') \
                             ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1";
                self.inner.execute_unprepared(raise).await?;
                Ok(None)
            }
        }
    }
}

#[async_trait]
impl ConnectionTrait for Change {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(stmt).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(stmt).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(stmt).await
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
                // Reading costs half where pages are not copied; the kernel takes such memory back at need.
                .pragma("mmap_size", "1073741824")
                // Of a table whose counts are unknown, a sample is enough.
                .pragma("analysis_limit", "1000")
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
