//! `doctor`: looks at settings, secret, database and clock, and says what it finds. Changes nothing.

use rocket::figment::Figment;
use sea_orm::{ConnectionTrait, Statement};

use super::{Failure, say};
use crate::{
    app::App,
    clock::Clock,
    config::{Config, Environment},
    db::Opener,
    domain::{self, import, search, setup},
};

/// Seconds that this machine and the database server may differ.
const SKEW: i64 = 5;
/// 2026-01-01: a clock before that was never set.
const PLAUSIBLE: i64 = 1_767_225_600;

#[derive(Default)]
struct Report {
    lines: usize,
    failed: bool,
}

impl Report {
    fn good(&mut self, what: &str, text: &str) {
        self.line("ok  ", what, text);
    }

    fn warn(&mut self, what: &str, text: &str) {
        self.line("warn", what, text);
    }

    fn bad(&mut self, what: &str, text: &str) {
        self.failed = true;
        self.line("FAIL", what, text);
    }

    fn line(&mut self, verdict: &str, what: &str, text: &str) {
        self.lines += 1;
        say(&format!("{verdict}  {what}: {text}"));
    }
}

pub async fn run(figment: &Figment, env: &Environment) -> Result<(), Failure> {
    let mut report = Report::default();
    match Config::load(figment, env) {
        Err(e) => report.bad("settings", &e.to_string()),
        Ok(config) => {
            report.good("settings", &format!("profile {}", figment.profile()));
            settings(&mut report, &config, env);
            secret(&mut report, &config);
            if !secret_is_there(&config) && database_is_there(&config) {
                let text = "there is a database, but not the secret that it was made with";
                report.bad("secret", text);
            } else if database_is_there(&config) {
                database(&mut report, config).await;
            } else {
                report.good("database", "not made yet; `latchkey serve` makes it");
            }
        }
    }
    if report.failed {
        Err(Failure::Said("something needs attention".to_owned()))
    } else {
        Ok(())
    }
}

fn settings(report: &mut Report, config: &Config, env: &Environment) {
    for name in env.keys().filter(|name| name.starts_with("LATCHKEY_")) {
        let setting = name.trim_start_matches("LATCHKEY_").to_lowercase();
        let known = crate::config::is_setting(&setting)
            || ["superuser_", "test_"]
                .iter()
                .any(|p| setting.starts_with(p));
        if !known {
            report.warn("settings", &format!("{name} is not a setting"));
        }
    }
    if !config.throttles_enabled {
        report.warn("settings", "throttles are off");
    }
    if config.hash_memory_kib < 19_456 {
        report.warn(
            "settings",
            "hash_memory_kib is below what OWASP recommends (19456)",
        );
    }
}

fn secret(report: &mut Report, config: &Config) {
    if config.secret_key.is_some() {
        report.good("secret", "from LATCHKEY_SECRET_KEY");
        return;
    }
    let path = config.data_dir.join("secret_key");
    let Ok(metadata) = std::fs::metadata(&path) else {
        report.good("secret", "not made yet; the first start makes it");
        return;
    };
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            let text = format!("{} can be read by others: chmod 600 it", path.display());
            report.bad("secret", &text);
            return;
        }
    }
    report.good(
        "secret",
        &format!("{} ({} bytes)", path.display(), metadata.len()),
    );
}

fn secret_is_there(config: &Config) -> bool {
    config.secret_key.is_some() || config.data_dir.join("secret_key").exists()
}

fn database_is_there(config: &Config) -> bool {
    config.is_postgres() || std::path::Path::new(config.sqlite_path()).exists()
}

async fn database(report: &mut Report, config: Config) {
    let postgres = config.is_postgres();
    let app = match App::open_as(Opener::Command, config, Clock::System).await {
        Ok(app) => app,
        Err(e) => return report.bad("database", &e.to_string()),
    };
    report.good(
        "database",
        if postgres {
            "PostgreSQL answers"
        } else {
            "the SQLite file opens"
        },
    );
    match app.db.is_migrated().await {
        Ok(true) => report.good("database", "the schema is up to date"),
        Ok(false) => return report.warn("database", "migrations are pending: `latchkey migrate`"),
        Err(e) => return report.bad("database", &e.to_string()),
    }
    match domain::installation::secret_seems_to_fit(app.db.read(), &app.keys).await {
        Ok(true) => report.good("secret", "it is the one this database was made with"),
        Ok(false) => report.bad("secret", "this database was made with another one"),
        Err(e) => report.bad("secret", &e.to_string()),
    }
    match search::is_indexed(&app).await {
        Ok(true) => report.good("search", "there is an index"),
        Ok(false) => report.warn(
            "search",
            "there is no index, so each search reads a whole table: let a superuser of PostgreSQL run \
             CREATE EXTENSION pg_trgm in this database, then run `latchkey migrate`",
        ),
        Err(e) => report.bad("search", &e.to_string()),
    }
    match setup::is_open(&app).await {
        Ok(true) => report.warn("accounts", "there is no superuser yet"),
        Ok(false) => report.good("accounts", "there is a superuser"),
        Err(e) => report.bad("accounts", &e.to_string()),
    }
    passwords(report, &app).await;
    mail(report, &app).await;
    clock(report, &app, postgres).await;
}

/// Connects and signs in; sends nothing.
async fn mail(report: &mut Report, app: &App) {
    let Some(mail) = &app.config.mail else {
        return report.good(
            "mail",
            "none is sent: links are handed out by administrators",
        );
    };
    match domain::mail::look(app).await {
        Ok(()) => report.good("mail", &format!("{} answers", mail.in_words())),
        Err(text) => report.bad("mail", &format!("{}: {text}", mail.in_words())),
    }
    let base = app.config.public_url.as_deref().unwrap_or_default();
    if base.starts_with("http://") {
        report.warn(
            "mail",
            &format!("links in mail lead to {base}, which is not encrypted"),
        );
    }
    match domain::mail::outbox(app).await {
        Ok(outbox) if outbox.dead > 0 => {
            report.warn("mail", &format!("{} letters were given up", outbox.dead));
        }
        Ok(outbox) => report.good("mail", &format!("{} letters wait", outbox.waiting)),
        Err(e) => report.bad("mail", &e.to_string()),
    }
}

async fn passwords(report: &mut Report, app: &App) {
    match import::survey(app).await {
        Ok(survey) if survey.refused > 0 => {
            let ids: Vec<String> = survey.first_refused.iter().map(i64::to_string).collect();
            let text = format!(
                "{} accounts have an unknown or too costly hash and cannot sign in until they get \
                 a new password: {}{}",
                survey.refused,
                ids.join(", "),
                if survey.refused > ids.len() as u64 {
                    ", …"
                } else {
                    ""
                },
            );
            report.warn("passwords", &text);
        }
        Ok(survey) if survey.waiting > 0 => {
            let text = format!(
                "{} accounts have a hash that Django made; their next sign-in renews it",
                survey.waiting
            );
            report.good("passwords", &text);
        }
        Ok(_) => report.good("passwords", "all hashes can be compared"),
        Err(e) => report.bad("passwords", &e.to_string()),
    }
}

async fn clock(report: &mut Report, app: &App, postgres: bool) {
    if app.now() < PLAUSIBLE {
        return report.bad("clock", "this machine's clock is far in the past");
    }
    if !postgres {
        return report.good("clock", "plausible");
    }
    let question = "SELECT CAST(EXTRACT(EPOCH FROM now()) AS BIGINT)";
    let statement = Statement::from_string(app.db.read().get_database_backend(), question);
    let there = app.db.read().query_one_raw(statement).await;
    match there.and_then(|row| row.map(|row| row.try_get_by_index::<i64>(0)).transpose()) {
        Ok(Some(there)) if (there - app.now()).abs() <= SKEW => {
            report.good("clock", "agrees with the database server");
        }
        Ok(Some(there)) => {
            let text = format!(
                "differs from the database server by {} s",
                there - app.now()
            );
            report.bad("clock", &text);
        }
        Ok(None) => report.bad("clock", "the database server did not say"),
        Err(e) => report.bad("clock", &e.to_string()),
    }
}
