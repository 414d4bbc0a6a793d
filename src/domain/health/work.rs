//! What goes on: news of other nodes, mail, signing keys, the audit log, the server's own jobs, and stored
//! settings that do not count.

use super::{Finding, Job};
use crate::{
    app::App,
    domain::{
        audit, mail,
        settings::{self, largest},
        signing_keys::{self, KeyState},
    },
};

const DAY: i64 = 86_400;
/// Seconds an event may wait for its seal.
const SEALED_WITHIN: i64 = 60;
/// Seconds a letter may wait.
const SENT_WITHIN: i64 = 900;
/// Seconds between two checkpoints while things happen, and some more.
const SIGNED_WITHIN: i64 = 2 * 3600;

/// Whether this node hears of changes that others make.
pub fn news(app: &App) -> Finding {
    if !app.config.is_postgres() {
        return Finding::good(
            "nodes",
            "one server on one file; commands beside it are heard within a second",
        );
    }
    if app.db.checks().is_deaf() {
        return Finding::bad(
            "nodes",
            "this node does not hear the others and asks the database each time",
            "See whether a proxy such as PgBouncer keeps LISTEN away from PostgreSQL.",
        );
    }
    Finding::good("nodes", "this node hears of changes on others at once")
}

/// The outbox. Sends nothing and connects to nobody.
pub async fn letters(app: &App) -> Vec<Finding> {
    let Some(mail) = &app.config.mail else {
        let text = "none is sent: links are handed out by administrators";
        return vec![Finding::good("mail", text)];
    };
    let mut found = vec![Finding::good("mail", mail.in_words())];
    let base = app.config.public_url.as_deref().unwrap_or_default();
    if base.starts_with("http://") {
        let text = format!("links in mail lead to {base}, which is not encrypted");
        found.push(Finding::look(
            "mail",
            text,
            "Serve by HTTPS and let LATCHKEY_PUBLIC_URL say so.",
        ));
    }
    let outbox = match mail::outbox(app).await {
        Ok(outbox) => outbox,
        Err(e) => return vec![Finding::unknown("mail", &e)],
    };
    let why = outbox
        .trouble
        .map_or_else(String::new, |trouble| format!(", last because: {trouble}"));
    let advice = "Try the mail server with `latchkey mail test`.";
    let late = outbox.oldest.is_some_and(|at| app.now() - at > SENT_WITHIN);
    found.push(if outbox.dead > 0 {
        let text = format!("{} letters were given up{why}", outbox.dead);
        let advice = "Try the mail server with `latchkey mail test`. `latchkey mail retry` sends them again, `latchkey mail drop` throws them away.";
        Finding::look("mail", text, advice)
    } else if late {
        let text = format!("{} letters wait, too long{why}", outbox.waiting);
        Finding::look("mail", text, advice)
    } else {
        Finding::good("mail", format!("{} letters wait", outbox.waiting))
    });
    found
}

/// The key that signs JWTs.
pub async fn signing_keys(app: &App) -> Finding {
    if app.config.jwt_signing_key.is_some() {
        let text = "JWTs are signed with the key of LATCHKEY_JWT_SIGNING_KEY";
        return Finding::good("signing keys", text);
    }
    let keys = match signing_keys::judged(app).await {
        Ok(keys) => keys,
        Err(e) => return Finding::unknown("signing keys", &e),
    };
    let current = keys.iter().find(|(_, state)| *state == KeyState::Current);
    let Some((key, _)) = current else {
        return Finding::look(
            "signing keys",
            "no key signs yet",
            "The server makes the first when it starts, or when it is needed.",
        );
    };
    let days = (app.now() - key.activates_at.unwrap_or(0).max(key.created_at)) / DAY;
    let next = match app.config.jwt_key_lifetime {
        0 => "changed by hand only".to_owned(),
        life => {
            let (n, unit) = largest(life);
            format!("changed every {n} {unit}{}", if n == 1 { "" } else { "s" })
        }
    };
    let name = signing_keys::name(key);
    let text = format!(
        "{name} ({}) has signed for {days} days; {next}",
        key.algorithm
    );
    Finding::good("signing keys", text)
}

/// How far the seals are behind, and the last signature.
pub async fn audit_log(app: &App) -> Vec<Finding> {
    let (lag, chain) = match tokio::try_join!(audit::oldest_unsealed(app), audit::chain_state(app))
    {
        Ok(told) => told,
        Err(e) => return vec![Finding::unknown("audit log", &e)],
    };
    let now = app.now();
    let waits = lag.map_or(0, |at| now - at);
    let mut found = vec![if waits > SEALED_WITHIN {
        let text = format!("the oldest event has waited {waits} s for its seal");
        Finding::look(
            "audit log",
            text,
            "After an update that is normal; otherwise look into the log.",
        )
    } else {
        Finding::good("audit log", format!("{} events are sealed", chain.sealed))
    }];
    found.push(match chain.signed {
        Some((seq, at)) if chain.sealed > seq && now - at > SIGNED_WITHIN => Finding::look(
            "audit log",
            format!(
                "the last checkpoint is {} minutes old and covers event {seq}",
                (now - at) / 60
            ),
            "Look into the log of the server.",
        ),
        Some((seq, at)) => {
            let text = format!("signed up to event {seq}, {} minutes ago", (now - at) / 60);
            Finding::good("audit log", text)
        }
        None => Finding::good(
            "audit log",
            "no checkpoint yet; the first comes within an hour",
        ),
    });
    found
}

/// What the timer of this process did. Nothing of jobs that have not ended yet.
pub fn jobs(app: &App) -> Vec<Finding> {
    let now = app.now();
    let told = Job::ALL.into_iter().filter_map(|job| {
        let last = app.jobs.last(job)?;
        let (words, ago) = (job.in_words(), now - last.at);
        Some(if last.failed {
            let text = format!("{words} failed {ago} s ago");
            Finding::bad("jobs", text, "Look into the log of the server.")
        } else if ago > job.patience() {
            let text = format!("{words} last ended {ago} s ago");
            Finding::look("jobs", text, "Look into the log of the server.")
        } else {
            Finding::good("jobs", format!("{words}: {ago} s ago"))
        })
    });
    told.collect()
}

/// Those that another version stored, or another environment makes useless.
pub async fn stored_settings(app: &App) -> Vec<Finding> {
    match settings::kept(app).await {
        Err(e) => vec![Finding::unknown("settings", &e)],
        Ok(kept) => {
            let found = kept.ignored.into_iter().map(|row| {
                let text = format!(
                    "{} is stored as {:?} and does not count: {}",
                    row.name, row.value, row.why
                );
                let advice = format!(
                    "Save another value, or `latchkey settings reset {}`.",
                    row.name
                );
                Finding::look("settings", text, advice)
            });
            found.collect()
        }
    }
}
