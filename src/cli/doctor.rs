//! `doctor`: looks at settings, secret, database and clock, and says what it finds. Changes nothing.

use rocket::figment::Figment;

use super::{Failure, say};
use crate::{
    app::App,
    clock::Clock,
    config::{Config, Environment},
    db::Opener,
    domain::{
        self,
        health::{self, Finding, Verdict},
        import,
    },
    web,
};

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

    /// What the panel's page of health tells, too.
    fn tell(&mut self, finding: &Finding) {
        let text = finding.in_a_line();
        match finding.verdict {
            Verdict::Good => self.good(finding.area, &text),
            Verdict::Look => self.warn(finding.area, &text),
            Verdict::Bad => self.bad(finding.area, &text),
        }
    }

    fn tell_all(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.tell(finding);
        }
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
            report.tell(&health::secret(&config));
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
    report.tell_all(&health::settings(config));
    listening(report, config);
}

fn listening(report: &mut Report, config: &Config) {
    if let Some(tls) = &config.tls {
        let looked = web::tls::look(tls);
        report.tell_all(&health::certificate(tls, looked, None, Clock::System.now()));
    }
    match config.metrics_address {
        Some(address) if !address.ip().is_loopback() => report.warn(
            "metrics",
            &format!("whoever reaches {address} reads them: is it a network of your own?"),
        ),
        Some(address) => report.good(
            "metrics",
            &format!("also at {address}, without a credential"),
        ),
        None => report.good("metrics", "at /metrics, for staff"),
    }
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
    let schema = health::schema(&app).await;
    report.tell(&schema);
    if schema.verdict != Verdict::Good {
        return;
    }
    report.tell_all(&health::stored_settings(&app).await);
    report.tell(&health::the_secret_fits(&app).await);
    report.tell(&health::search_index(&app).await);
    report.tell(&health::accounts(&app).await);
    passwords(report, &app).await;
    mail(report, &app).await;
    report.tell_all(&health::storage(&app).await);
    if let Some(disk) = health::disk(&app) {
        report.tell(&disk);
    }
}

/// Connects and signs in; sends nothing.
async fn mail(report: &mut Report, app: &App) {
    if let Some(mail) = &app.config.mail
        && let Err(text) = domain::mail::look(app).await
    {
        report.bad("mail", &format!("{}: {text}", mail.in_words()));
    }
    report.tell_all(&health::letters(app).await);
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
