//! A Django project to take over: a SQLite file with its tables, and a run of the import.

use std::path::{Path, PathBuf};

use latchkey::{
    domain::{
        actor::Actor,
        import::{self, OnConflict, Outcome, Source, Wanted},
    },
    error::Result,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use super::TestApp;

/// Of `S3cure-pass-1`, as Django writes it, with one round.
pub const DJANGO: &str =
    "pbkdf2_sha256$1$Gx560IpE3PzNWKffsjaeIh$nCT0gBz6ARWtici/FbhpWTZ9L8ahzAFAn7Mq+tnO3vM=";
/// Whose hash that is.
pub const PASSWORD: &str = "S3cure-pass-1";

/// A SQLite file with Django's table of users, and the rows of `sql`.
pub async fn project(folder: &Path, sql: &str) -> (PathBuf, DatabaseConnection) {
    let path = folder.join("django.sqlite3");
    let db = Database::connect(format!("sqlite:{}?mode=rwc", path.display()))
        .await
        .unwrap();
    db.execute_unprepared(
        "CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128), \
         last_login datetime, is_superuser bool, username varchar(150), last_name varchar(150), \
         email varchar(254), is_staff bool, is_active bool, date_joined datetime, \
         first_name varchar(150))",
    )
    .await
    .unwrap();
    db.execute_unprepared(sql).await.unwrap();
    (path, db)
}

pub fn users(values: &str) -> String {
    format!(
        "INSERT INTO auth_user (id, username, password, email, first_name, last_name, is_active, \
         is_staff, is_superuser, date_joined) VALUES {values}"
    )
}

pub fn person(id: i64, name: &str) -> String {
    format!("({id}, '{name}', '{DJANGO}', '', '', '', 1, 0, 0, '2020-01-01 00:00:00.123456')")
}

pub fn wanted(on_conflict: OnConflict) -> Wanted {
    Wanted {
        users_table: "auth_user".to_owned(),
        students_table: None,
        secret_key: None,
        on_conflict,
        dry_run: false,
    }
}

pub async fn run(app: &TestApp, path: &Path, wanted: &Wanted) -> Result<Outcome> {
    let command = app.command().await;
    let source = Source::open(&format!("sqlite:{}", path.display())).await?;
    let by = Actor::operator();
    let outcome = import::import(&command, &by, &source, wanted, &|_, _, _| ()).await;
    source.close().await?;
    command.db.close().await.unwrap();
    outcome
}

pub fn kinds(outcome: &Outcome) -> Vec<(&'static str, u64)> {
    let conflicts = outcome.report.conflicts.iter();
    conflicts.map(|(kind, count, _)| (kind, count)).collect()
}
