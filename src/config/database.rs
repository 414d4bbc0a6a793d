//! The address of the database: where it comes from, and which ones can be used.

use std::path::Path;

use super::{BadSetting, Environment, source::Source};

pub(super) fn is_postgres(url: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

pub(super) fn database_url(
    s: &Source<'_>,
    env: &Environment,
    data_dir: &Path,
) -> Result<String, BadSetting> {
    let url = s
        .text("database_url")
        .or_else(|| env.get("DATABASE_URL").cloned())
        .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("latchkey.sqlite3").display()));
    check_database_url("LATCHKEY_DATABASE_URL", &url)?;
    Ok(url)
}

pub(super) fn check_database_url(name: &str, url: &str) -> Result<(), BadSetting> {
    if !is_postgres(url) && !url.starts_with("sqlite:") {
        return Err(BadSetting::new(
            name,
            "expected `sqlite:<path>` or `postgres://user:password@host/database`",
        ));
    }
    if url.trim_end_matches('/').ends_with(':') || url.contains(":memory:") {
        return Err(BadSetting::new(
            name,
            "needs the path of a file: what is only in memory is not durable",
        ));
    }
    Ok(())
}
