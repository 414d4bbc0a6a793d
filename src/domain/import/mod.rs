//! Users, tokens and refresh tokens of a Django project, taken over as they are: ids, dates,
//! password strings, keys, `jti`s. The foreign tables are read in `source`; each other file takes
//! one of them; what was found is told in `report`.
//!
//! Everything is looked at before anything is written. Then each batch is a transaction that judges
//! its rows again, since the server may be running; what is there already is left alone, so an
//! import that was stopped goes on where it was when it is started again.

mod groups;
mod hashes;
mod refresh_tokens;
mod report;
mod source;
mod students;
mod tokens;
mod users;

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

pub use hashes::{Survey, survey};
pub use report::{Findings, KeyFinding, Report, Tally};
pub use source::Source;

use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, Event},
        jwt, search, signing_keys,
    },
    error::{Error, Result},
    secret::SecretBytes,
};

/// The largest id that is taken over; beyond it the next ones could run out.
const ID_MAX: i64 = 1 << 53;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is imported.
    Abort,
    /// What is in conflict is left out, with all that belongs to it.
    Skip,
}

#[derive(Debug)]
pub struct Wanted {
    /// `auth_user`, or the table of a model made from `AbstractUser`.
    pub users_table: String,
    pub students_table: Option<String>,
    /// What Django signs JWTs with.
    pub secret_key: Option<SecretBytes>,
    pub on_conflict: OnConflict,
    /// Look, and write nothing.
    pub dry_run: bool,
}

/// Told after each batch: what is being done, rows so far, rows in all.
pub type Progress<'a> = dyn Fn(&str, u64, u64) + Sync + 'a;

/// How an import ended.
#[derive(Debug)]
pub struct Outcome {
    pub report: Report,
    /// False: a dry run, or there were conflicts.
    pub imported: bool,
}

/// One way through all tables: to look, or to write.
struct Pass<'a> {
    app: &'a App,
    by: &'a Actor,
    source: &'a Source,
    wanted: &'a Wanted,
    progress: &'a Progress<'a>,
    writes: bool,
    report: Report,
    /// Users that are left out.
    left_out: HashSet<i64>,
    students_left_out: HashSet<i64>,
    groups: groups::Groups,
    /// The largest ids that were seen.
    last_user: i64,
    last_student: i64,
}

/// Takes over what `source` holds. Fails with `Validation` on `from` where it cannot be read or is
/// no Django, with `Conflict` where somebody was quicker while it ran: what was written stays, and
/// another run goes on.
pub async fn import(
    app: &App,
    by: &Actor,
    source: &Source,
    wanted: &Wanted,
    progress: &Progress<'_>,
) -> Result<Outcome> {
    if !by.is_superuser {
        return Err(Error::PermissionDenied);
    }
    source.require(&wanted.users_table, &["id", "username", "password"])?;
    if let Some(table) = &wanted.students_table {
        source.require(table, students::COLUMNS)?;
    }
    let mut pass = Pass {
        app,
        by,
        source,
        wanted,
        progress,
        writes: false,
        report: Report::default(),
        left_out: HashSet::new(),
        students_left_out: HashSet::new(),
        groups: groups::Groups::default(),
        last_user: 0,
        last_student: 0,
    };
    pass.check_key().await?;
    pass.not_imported().await?;
    pass.tables().await?;
    let stands = wanted.on_conflict == OnConflict::Skip || pass.report.conflicts.count() == 0;
    if wanted.dry_run || !stands {
        return Ok(Outcome {
            report: pass.report,
            imported: false,
        });
    }
    let report = pass.write().await?;
    Ok(Outcome {
        report,
        imported: true,
    })
}

impl Pass<'_> {
    /// The same tables once more; what was found while looking is kept.
    async fn write(mut self) -> Result<Report> {
        let found = std::mem::take(&mut self.report);
        self.writes = true;
        self.begin().await?;
        if let Some(key) = &self.wanted.secret_key {
            signing_keys::share(self.app, self.by, key).await?;
        }
        self.tables().await?;
        search::fill(self.app).await?;
        // Rows that came into conflict since are among those left out.
        let report = Report {
            conflicts: found.conflicts,
            notices: found.notices,
            hashes: found.hashes,
            not_imported: found.not_imported,
            key: found.key,
            ..self.report
        };
        let event = Event::new("import.finished", None, "Django").with(report.json());
        let db = self.app.db.begin().await?;
        audit::record(&db, self.app.now(), self.by, event).await?;
        db.commit(Affects::Everything).await?;
        Ok(report)
    }

    async fn tables(&mut self) -> Result<()> {
        self.groups().await?;
        self.users().await?;
        if self.source.has("authtoken_token") {
            self.tokens().await?;
        }
        if self.source.has("token_blacklist_outstandingtoken") {
            self.refresh_tokens().await?;
        }
        if let Some(table) = &self.wanted.students_table {
            self.students(table).await?;
        }
        Ok(())
    }

    /// Keeps the ids free that are about to come: whoever registers meanwhile gets a later one.
    async fn begin(&self) -> Result<()> {
        let db = self.app.db.begin().await?;
        reserve(&db, "users", self.last_user).await?;
        reserve(&db, "students", self.last_student).await?;
        let event = Event::new("import.started", None, "Django");
        let event = event.with(json!({"users_table": self.wanted.users_table}));
        audit::record(&db, self.app.now(), self.by, event).await?;
        db.commit(Affects::Nobody).await
    }

    async fn check_key(&mut self) -> Result<()> {
        let Some(key) = &self.wanted.secret_key else {
            return Ok(());
        };
        signing_keys::is_shared(self.app, key).await?;
        let finding = match self.source.newest_jwt().await? {
            None => KeyFinding::Untried,
            Some(jwt) if jwt::is_signed_with(&jwt, key)? => KeyFinding::Fits,
            Some(_) => KeyFinding::DoesNotFit,
        };
        if finding == KeyFinding::DoesNotFit {
            self.report.conflicts.add(
                "key",
                "Django's newest refresh token was not signed with this secret key (HS256): see \
                 SIGNING_KEY and ALGORITHM of its SIMPLE_JWT"
                    .to_owned(),
            );
        }
        self.report.key = Some(finding);
        Ok(())
    }

    /// What has no place here, said in numbers.
    async fn not_imported(&mut self) -> Result<()> {
        let users = &self.wanted.users_table;
        let tables = [
            (
                "django_session",
                "browser sessions (people sign in to the pages again)",
            ),
            ("django_admin_log", "entries of the admin's log"),
        ];
        for (table, words) in tables {
            let count = self.source.count(table).await?;
            if count > 0 {
                self.report.not_imported.push(format!("{count} {words}"));
            }
        }
        self.note_columns(users, users::COLUMNS);
        if let Some(table) = &self.wanted.students_table {
            self.note_columns(table, students::COLUMNS);
        }
        Ok(())
    }

    fn note_columns(&mut self, table: &str, known: &[&str]) {
        let others = self.source.columns_beside(table, known);
        if !others.is_empty() {
            let text = format!("columns of {table}: {}", others.join(", "));
            self.report.not_imported.push(text);
        }
    }

    /// Ends a batch's transaction: kept in a run that writes, dropped in one that looks.
    async fn finish(&self, db: Option<Change>, affects: Affects) -> Result<()> {
        match db {
            Some(db) => db.commit(affects).await,
            None => Ok(()),
        }
    }
}

/// The next id of `table` will be larger than `last`.
async fn reserve<C: ConnectionTrait>(db: &C, table: &str, last: i64) -> Result<()> {
    if last < 1 {
        return Ok(());
    }
    if db.get_database_backend() == DbBackend::Postgres {
        let raise = format!(
            "SELECT setval(s, GREATEST({last}, nextval(s))) \
             FROM (SELECT CAST(pg_get_serial_sequence('{table}', 'id') AS regclass) AS s) AS q"
        );
        db.execute_unprepared(&raise).await?;
        return Ok(());
    }
    let provide = format!(
        "INSERT INTO sqlite_sequence (name, seq) SELECT '{table}', 0 \
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{table}')"
    );
    db.execute_unprepared(&provide).await?;
    let raise = format!("UPDATE sqlite_sequence SET seq = MAX(seq, {last}) WHERE name = '{table}'");
    db.execute_unprepared(&raise).await?;
    Ok(())
}
