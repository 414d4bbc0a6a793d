//! The tables of a Django project, read and never written: SQLite or PostgreSQL, by keyset, so that
//! neither side holds more than one batch. What the rows mean here is not decided here.

mod rights;

use std::{collections::HashMap, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, QueryResult,
    Statement, Value,
};

use crate::{
    error::{Error, Result},
    secret::Jwt,
};

pub use rights::ForeignPermission;

/// Rows read, and written in one transaction, at a time.
pub const BATCH: u64 = 1000;

#[derive(Debug)]
pub struct Source {
    db: DatabaseConnection,
    tables: HashMap<String, Vec<Column>>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// As the database declares it, in lower case.
    kind: String,
}

/// A row of `auth_user`. Times are Unix seconds.
#[derive(Debug)]
pub struct ForeignUser {
    pub id: i64,
    /// None: not text that can be read.
    pub texts: Option<Texts>,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub last_login: Option<i64>,
    pub date_joined: Option<i64>,
}

pub struct Texts {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub password: String,
}

/// Password hashes stay out of logs.
impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

/// A row of `authtoken_token`.
pub struct ForeignToken {
    pub user_id: i64,
    pub key: Option<crate::secret::TokenKey>,
    pub created: Option<i64>,
}

/// A row of SimpleJWT's `token_blacklist_outstandingtoken` that has not expired.
#[derive(Debug)]
pub struct ForeignRefresh {
    pub id: i64,
    pub user_id: i64,
    pub jti: Option<String>,
    pub created_at: Option<i64>,
    pub expires_at: i64,
    pub blacklisted_at: Option<i64>,
}

#[derive(Debug)]
pub struct ForeignStudent {
    pub id: i64,
    pub name: Option<String>,
    pub roll: Option<i64>,
    pub city: Option<String>,
}

impl Source {
    /// `url`: `sqlite:<path>` or `postgres://…`. Fails with `Validation` on `from`.
    pub async fn open(url: &str) -> Result<Self> {
        let db = connect(url).await.map_err(|e| unreadable(&e))?;
        let tables = tables(&db).await.map_err(|e| unreadable(&e))?;
        Ok(Self { db, tables })
    }

    pub async fn close(self) -> Result<()> {
        Ok(self.db.close().await?)
    }

    pub fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Names of columns that are none of `known`.
    pub fn columns_beside<'a>(&'a self, table: &str, known: &'a [&str]) -> Vec<&'a str> {
        let columns = self.tables.get(table).map_or(&[][..], Vec::as_slice);
        let names = columns.iter().map(|column| column.name.as_str());
        names.filter(|name| !known.contains(name)).collect()
    }

    /// Fails with `Validation` unless the table has these columns and its ids are numbers.
    pub fn require(&self, table: &str, columns: &[&str]) -> Result<()> {
        let Some(there) = self.tables.get(table) else {
            return Err(from(format!("there is no table {table:?}")));
        };
        for wanted in columns {
            let Some(column) = there.iter().find(|column| column.name == *wanted) else {
                return Err(from(format!("{table} has no column {wanted:?}")));
            };
            if *wanted == "id" && !column.kind.contains("int") && !column.kind.contains("serial") {
                return Err(from(format!(
                    "{table}.id is of type {:?}; ids here are whole numbers",
                    column.kind
                )));
            }
        }
        Ok(())
    }

    pub async fn count(&self, table: &str) -> Result<u64> {
        if !self.has(table) {
            return Ok(0);
        }
        let sql = format!("SELECT COUNT(*) FROM {}", quoted(table));
        let rows = self.rows(&sql, []).await?;
        let count: i64 = match rows.first() {
            Some(row) => row.try_get_by_index(0).map_err(|e| unreadable(&e))?,
            None => 0,
        };
        Ok(count.unsigned_abs())
    }

    /// The next batch of users after the id `after`, by id.
    pub async fn users(&self, table: &str, after: i64) -> Result<Vec<ForeignUser>> {
        let text = |name| self.text(table, name);
        let flag = |name, absent| self.flag(table, name, absent);
        let sql = format!(
            "SELECT CAST(t.id AS BIGINT), {}, {}, {}, {}, {}, {}, {}, {}, {}, {} \
             FROM {} t WHERE t.id > $1 ORDER BY t.id LIMIT {BATCH}",
            text("username"),
            text("email"),
            text("first_name"),
            text("last_name"),
            text("password"),
            flag("is_active", 1),
            flag("is_staff", 0),
            flag("is_superuser", 0),
            self.seconds(table, "last_login"),
            self.seconds(table, "date_joined"),
            quoted(table),
        );
        let rows = self.rows(&sql, [after.into()]).await?;
        rows.iter().map(user).collect()
    }

    /// The next batch after the user `after`, by user; each has one at most.
    pub async fn tokens(&self, users: &str, after: i64) -> Result<Vec<ForeignToken>> {
        let table = "authtoken_token";
        let sql = format!(
            "SELECT CAST(t.user_id AS BIGINT), {}, {} FROM {table} t \
             JOIN {} u ON u.id = t.user_id \
             WHERE t.user_id > $1 ORDER BY t.user_id LIMIT {BATCH}",
            self.text(table, "key"),
            self.seconds(table, "created"),
            quoted(users),
        );
        let rows = self.rows(&sql, [after.into()]).await?;
        let token = |row: &QueryResult| {
            Ok(ForeignToken {
                user_id: number(row, 0)?.unwrap_or_default(),
                key: readable(row, 1).map(crate::secret::TokenKey::new),
                created: number(row, 2)?,
            })
        };
        rows.iter().map(token).collect()
    }

    /// The next batch after the row `after` of those that expire later than `now` (Unix seconds).
    pub async fn refresh_tokens(
        &self,
        users: &str,
        after: i64,
        now: i64,
    ) -> Result<Vec<ForeignRefresh>> {
        let table = "token_blacklist_outstandingtoken";
        let black = "token_blacklist_blacklistedtoken";
        let expires = self.seconds(table, "expires_at");
        let sql = format!(
            "SELECT CAST(t.id AS BIGINT), CAST(t.user_id AS BIGINT), {}, {}, {expires}, \
             (SELECT COALESCE({}, $2) FROM {black} b WHERE b.token_id = t.id) \
             FROM {table} t JOIN {} u ON u.id = t.user_id \
             WHERE t.id > $1 AND {expires} > $2 ORDER BY t.id LIMIT {BATCH}",
            self.text(table, "jti"),
            self.seconds(table, "created_at"),
            self.seconds_of("b", black, "blacklisted_at"),
            quoted(users),
        );
        let rows = self.rows(&sql, [after.into(), now.into()]).await?;
        let refresh = |row: &QueryResult| {
            Ok(ForeignRefresh {
                id: number(row, 0)?.unwrap_or_default(),
                user_id: number(row, 1)?.unwrap_or_default(),
                jti: readable(row, 2),
                created_at: number(row, 3)?,
                expires_at: number(row, 4)?.unwrap_or_default(),
                blacklisted_at: number(row, 5)?,
            })
        };
        rows.iter().map(refresh).collect()
    }

    pub async fn students(&self, table: &str, after: i64) -> Result<Vec<ForeignStudent>> {
        let sql = format!(
            "SELECT CAST(t.id AS BIGINT), {}, CAST(t.roll AS BIGINT), {} \
             FROM {} t WHERE t.id > $1 ORDER BY t.id LIMIT {BATCH}",
            self.text(table, "name"),
            self.text(table, "city"),
            quoted(table),
        );
        let rows = self.rows(&sql, [after.into()]).await?;
        let student = |row: &QueryResult| {
            Ok(ForeignStudent {
                id: number(row, 0)?.unwrap_or_default(),
                name: readable(row, 1),
                roll: number(row, 2)?,
                city: readable(row, 3),
            })
        };
        rows.iter().map(student).collect()
    }

    /// The refresh token that was issued last.
    pub async fn newest_jwt(&self) -> Result<Option<Jwt>> {
        let table = "token_blacklist_outstandingtoken";
        if !self.has(table) {
            return Ok(None);
        }
        let text = self.text(table, "token");
        let sql = format!("SELECT {text} FROM {table} t ORDER BY t.id DESC LIMIT 1");
        let rows = self.rows(&sql, []).await?;
        Ok(rows.first().and_then(|row| readable(row, 0)).map(Jwt::new))
    }

    fn has_column(&self, table: &str, name: &str) -> bool {
        let columns = self.tables.get(table);
        columns.is_some_and(|columns| columns.iter().any(|column| column.name == name))
    }

    fn text(&self, table: &str, name: &str) -> String {
        if self.has_column(table, name) {
            format!("CAST(t.{} AS TEXT)", quoted(name))
        } else {
            "''".to_owned()
        }
    }

    fn flag(&self, table: &str, name: &str, absent: u8) -> String {
        if self.has_column(table, name) {
            format!(
                "CAST(CASE WHEN t.{} THEN 1 ELSE 0 END AS BIGINT)",
                quoted(name)
            )
        } else {
            format!("CAST({absent} AS BIGINT)")
        }
    }

    /// A time in Unix seconds; Django keeps UTC. What is no time reads as NULL on SQLite.
    fn seconds(&self, table: &str, name: &str) -> String {
        self.seconds_of("t", table, name)
    }

    fn seconds_of(&self, alias: &str, table: &str, name: &str) -> String {
        if !self.has_column(table, name) {
            return "CAST(NULL AS BIGINT)".to_owned();
        }
        let column = format!("{alias}.{}", quoted(name));
        if self.db.get_database_backend() == DbBackend::Postgres {
            format!("CAST(FLOOR(EXTRACT(EPOCH FROM {column})) AS BIGINT)")
        } else {
            format!("CAST(strftime('%s', {column}) AS BIGINT)")
        }
    }

    async fn rows<const N: usize>(
        &self,
        sql: &str,
        values: [Value; N],
    ) -> Result<Vec<QueryResult>> {
        let backend = self.db.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let rows = self.db.query_all_raw(statement).await;
        rows.map_err(|e| unreadable(&e))
    }
}

fn user(row: &QueryResult) -> Result<ForeignUser> {
    let texts = || {
        Some(Texts {
            username: readable(row, 1)?,
            email: readable(row, 2)?,
            first_name: readable(row, 3)?,
            last_name: readable(row, 4)?,
            password: readable(row, 5)?,
        })
    };
    let flag = |at| number(row, at).map(|n| n == Some(1));
    Ok(ForeignUser {
        id: number(row, 0)?.unwrap_or_default(),
        texts: texts(),
        is_active: flag(6)?,
        is_staff: flag(7)?,
        is_superuser: flag(8)?,
        last_login: number(row, 9)?,
        date_joined: number(row, 10)?,
    })
}

fn number(row: &QueryResult, at: usize) -> Result<Option<i64>> {
    row.try_get_by_index(at).map_err(|e| unreadable(&e))
}

/// None where it is NULL or no UTF-8.
fn readable(row: &QueryResult, at: usize) -> Option<String> {
    row.try_get_by_index(at).ok()
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path).to_owned();
        options = ConnectOptions::new("sqlite://file");
        options.map_sqlx_sqlite_opts(move |o| {
            o.filename(&path)
                .read_only(true)
                .create_if_missing(false)
                .pragma("busy_timeout", "30000")
        });
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        options.map_sqlx_postgres_opts(|o| o.options([("default_transaction_read_only", "on")]));
    } else {
        return Err(DbErr::Custom(
            "expected `sqlite:<path>` or `postgres://user:password@host/database`".to_owned(),
        ));
    }
    options
        .sqlx_logging(false)
        .min_connections(1)
        .max_connections(1)
        .connect_timeout(Duration::from_secs(10))
        .acquire_timeout(Duration::from_secs(30));
    Database::connect(options).await
}

async fn tables(db: &DatabaseConnection) -> Result<HashMap<String, Vec<Column>>, DbErr> {
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres {
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT) \
         FROM information_schema.columns WHERE table_schema = ANY(current_schemas(false))"
    } else {
        "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p"
    };
    let mut tables: HashMap<String, Vec<Column>> = HashMap::new();
    for row in db
        .query_all_raw(Statement::from_string(backend, sql))
        .await?
    {
        let table = row.try_get_by_index(0)?;
        let kind: String = row.try_get_by_index(2)?;
        tables.entry(table).or_default().push(Column {
            name: row.try_get_by_index(1)?,
            kind: kind.to_lowercase(),
        });
    }
    Ok(tables)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn from(text: String) -> Error {
    Error::field("from", text)
}

fn unreadable(e: &DbErr) -> Error {
    from(format!("cannot be read: {e}"))
}
