//! The database: that it answers, what is in it, how large it is, and its clock.

use sea_orm::{ConnectionTrait, Statement};

use super::Finding;
use crate::{
    app::App,
    domain::{installation, search, setup},
    error::{Error, Result},
};

/// Seconds that this machine and the database server may differ.
const SKEW: i64 = 5;
/// 2026-01-01: a clock before that was never set.
const PLAUSIBLE: i64 = 1_767_225_600;
const MEGABYTE: u64 = 1024 * 1024;
/// Free bytes beside a SQLite file under which somebody should look, and under which it is urgent.
const TIGHT: u64 = 2048 * MEGABYTE;
const URGENT: u64 = 200 * MEGABYTE;

/// What the database says of itself, in one question.
struct Told {
    version: String,
    bytes: i64,
    /// Unix seconds.
    now: i64,
}

async fn ask(app: &App) -> Result<Told> {
    let sql = if app.db.is_postgres() {
        "SELECT current_setting('server_version'), pg_database_size(current_database()), \
         CAST(EXTRACT(EPOCH FROM now()) AS BIGINT)"
    } else {
        "SELECT sqlite_version(), \
         (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()), \
         CAST(strftime('%s', 'now') AS INTEGER)"
    };
    let db = app.db.read();
    let question = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(question).await?;
    let row = row.ok_or_else(|| Error::internal(std::io::Error::other("no answer")))?;
    Ok(Told {
        version: row.try_get_by_index(0)?,
        bytes: row.try_get_by_index(1)?,
        now: row.try_get_by_index(2)?,
    })
}

/// Kind, version, size and connections; and its clock.
pub async fn storage(app: &App) -> Vec<Finding> {
    match ask(app).await {
        Err(e) => vec![Finding::unknown("database", &e)],
        Ok(told) => {
            let kind = app.config.database_in_words();
            let (open, idle) = app.db.connections();
            let busy = usize::try_from(open).unwrap_or(0).saturating_sub(idle);
            let size = in_words(told.bytes.unsigned_abs());
            let text = format!(
                "{kind}, version {}, {size}, {open} connections, {busy} of them at work",
                told.version
            );
            vec![Finding::good("database", text), judge_clock(app, &told)]
        }
    }
}

/// Whether this machine's clock agrees with the database server's.
fn judge_clock(app: &App, told: &Told) -> Finding {
    let advice = "Let both machines take their time from the network (NTP).";
    if app.now() < PLAUSIBLE {
        return Finding::bad("clock", "this machine's clock is far in the past", advice);
    }
    if !app.db.is_postgres() {
        return Finding::good("clock", "plausible");
    }
    let ahead = told.now - app.now();
    if ahead.abs() <= SKEW {
        return Finding::good("clock", "agrees with the database server");
    }
    let text = format!("differs from the database server by {ahead} s");
    Finding::bad("clock", text, advice)
}

/// Whether all migrations have run.
pub async fn schema(app: &App) -> Finding {
    match app.db.is_migrated().await {
        Ok(true) => Finding::good("database", "the schema is up to date"),
        Ok(false) => Finding::look("database", "migrations are pending", "`latchkey migrate`"),
        Err(e) => Finding::unknown("database", &e.into()),
    }
}

pub async fn the_secret_fits(app: &App) -> Finding {
    match installation::secret_seems_to_fit(app.db.read(), &app.keys).await {
        Ok(true) => Finding::good("secret", "it is the one this database was made with"),
        Ok(false) => Finding::bad(
            "secret",
            "this database was made with another one",
            "Start with that one: LATCHKEY_SECRET_KEY, or the file secret_key in the data folder.",
        ),
        Err(e) => Finding::unknown("secret", &e),
    }
}

pub async fn search_index(app: &App) -> Finding {
    match search::is_indexed(app).await {
        Ok(true) => Finding::good("search", "there is an index"),
        Ok(false) => Finding::look(
            "search",
            "there is no index, so each search reads a whole table",
            "let a superuser of PostgreSQL run CREATE EXTENSION pg_trgm in this database, then run \
             `latchkey migrate`",
        ),
        Err(e) => Finding::unknown("search", &e),
    }
}

pub async fn accounts(app: &App) -> Finding {
    match setup::is_open(app).await {
        Ok(true) => Finding::look(
            "accounts",
            "there is no superuser yet",
            "Follow the link that the server prints, or `latchkey createsuperuser`.",
        ),
        Ok(false) => Finding::good("accounts", "there is a superuser"),
        Err(e) => Finding::unknown("accounts", &e),
    }
}

/// Room beside the SQLite file; None where that is another machine's care, or not known.
pub fn disk(app: &App) -> Option<Finding> {
    if app.config.is_postgres() {
        return None;
    }
    let free = free_beside(app.config.sqlite_path())?;
    let text = format!("{} are free beside the database", in_words(free));
    let advice = "Make room: without it nothing can be saved.";
    Some(match free {
        free if free < URGENT => Finding::bad("disk", text, advice),
        free if free < TIGHT => Finding::look("disk", text, advice),
        _ => Finding::good("disk", text),
    })
}

#[cfg(unix)]
fn free_beside(path: &str) -> Option<u64> {
    let told = rustix::fs::statvfs(path).ok()?;
    told.f_bavail.checked_mul(told.f_frsize)
}

#[cfg(not(unix))]
fn free_beside(_: &str) -> Option<u64> {
    None
}

/// `3.4 GB`; powers of 1024, as file managers say it.
fn in_words(bytes: u64) -> String {
    let (unit, name) = match bytes {
        n if n >= 1024 * MEGABYTE => (1024 * MEGABYTE, "GB"),
        n if n >= MEGABYTE => (MEGABYTE, "MB"),
        _ => (1024, "KB"),
    };
    let tenths = bytes.saturating_mul(10) / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_a_unit_that_fits() {
        for (bytes, words) in [
            (512, "0.5 KB"),
            (3 * MEGABYTE / 2, "1.5 MB"),
            (2048 * MEGABYTE, "2.0 GB"),
        ] {
            assert_eq!(in_words(bytes), words);
        }
    }
}
