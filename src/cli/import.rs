//! `import-django`: the words around `domain/import`.

use std::{
    io::{BufRead, IsTerminal},
    sync::Mutex,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};

use super::{Context, Failure, say};
use crate::{
    db::Opener,
    domain::{
        actor::Actor,
        import::{self, Findings, KeyFinding, OnConflict, Outcome, Source, Tally, Wanted},
    },
    secret::SecretBytes,
};

/// How often a long import says where it is.
const EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct ImportDjango {
    /// The Django project's database: `sqlite:<path>` or `postgres://user:password@host/database`.
    /// It is only read.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The table of users, where the project has a user model of its own.
    #[arg(long, value_name = "TABLE", default_value = "auth_user")]
    users_table: String,
    /// A table with the columns id, name, roll and city, to import as students.
    #[arg(long, value_name = "TABLE")]
    students_table: Option<String>,
    /// What Django signs JWTs with (`SIGNING_KEY` of `SIMPLE_JWT`, else `SECRET_KEY`): this server then
    /// signs with it, too, until the key is rotated, and the JWTs of either pass on the other.
    /// `-` reads it from standard input.
    #[arg(long, value_name = "KEY")]
    secret_key: Option<String>,
    /// Look at everything, import nothing, and say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Import nothing, or everything but the rows in conflict and what belongs to them.
    #[arg(long, value_enum, default_value_t = Policy::Abort)]
    on_conflict: Policy,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    Abort,
    Skip,
}

pub(super) async fn run(context: Context, given: ImportDjango) -> Result<(), Failure> {
    let wanted = Wanted {
        users_table: given.users_table,
        students_table: given.students_table,
        secret_key: given.secret_key.map(secret_key).transpose()?,
        on_conflict: match given.on_conflict {
            Policy::Abort => OnConflict::Abort,
            Policy::Skip => OnConflict::Skip,
        },
        dry_run: given.dry_run,
    };
    let source = Source::open(&given.from).await?;
    let app = context.open(Opener::Command).await?;
    let told = Mutex::new(Instant::now());
    let progress = |what: &str, done: u64, all: u64| {
        if let Ok(mut last) = told.lock()
            && last.elapsed() >= EVERY
        {
            *last = Instant::now();
            eprintln!("{what}: {done} of {all}");
        }
    };
    let by = Actor::operator();
    let outcome = import::import(&app, &by, &source, &wanted, &progress).await;
    source.close().await?;
    let fixed = app.config.jwt_signing_key.is_some();
    super::finish(app).await?;
    let outcome = outcome?;
    say(&text(&outcome, &wanted, fixed));
    let conflicts = outcome.report.conflicts.count();
    if conflicts > 0 && wanted.on_conflict == OnConflict::Abort {
        return Err(Failure::Said(format!(
            "{conflicts} conflicts, so nothing was imported; solve them in Django, or leave them \
             out with `--on-conflict skip`"
        )));
    }
    Ok(())
}

fn secret_key(text: String) -> Result<SecretBytes, Failure> {
    let text = if text == "-" {
        if std::io::stdin().is_terminal() {
            rpassword::prompt_password("Secret key: ")?
        } else {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    } else {
        text
    };
    if text.is_empty() {
        return Err(Failure::Said("--secret-key is empty".to_owned()));
    }
    Ok(SecretBytes::new(text.into_bytes()))
}

fn text(outcome: &Outcome, wanted: &Wanted, fixed: bool) -> String {
    let report = &outcome.report;
    let mut lines = vec![
        if outcome.imported {
            "Imported:"
        } else if wanted.dry_run {
            "A dry run; nothing was written. There would be:"
        } else {
            "Nothing was written. There would be:"
        }
        .to_owned(),
        tally("users", report.users),
        tally("groups", report.groups),
        tally("tokens", report.tokens),
        format!(
            "{} ({} of them blacklisted)",
            tally("refresh tokens", report.refresh_tokens),
            report.blacklisted
        ),
    ];
    lines.extend(report.students.map(|students| tally("students", students)));
    if !report.hashes.is_empty() {
        lines.push("Password hashes of the new users:".to_owned());
        let hashes = report.hashes.iter();
        lines.extend(hashes.map(|(kind, count)| format!("  {count:>9}  {kind}")));
    }
    findings(&mut lines, "Conflicts", &report.conflicts);
    findings(&mut lines, "To know", &report.notices);
    if !report.not_imported.is_empty() {
        lines.push("Not imported, as there is no place for it here:".to_owned());
        let others = report.not_imported.iter();
        lines.extend(others.map(|what| format!("  {what}")));
    }
    lines.push("Next:".to_owned());
    lines.extend(
        next(outcome, wanted, fixed)
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    lines.join("\n")
}

fn tally(what: &str, tally: Tally) -> String {
    format!(
        "  {:>9}  {what} ({} read, {} already there, {} left out)",
        tally.new, tally.read, tally.there, tally.left_out
    )
}

fn findings(lines: &mut Vec<String>, title: &str, findings: &Findings) {
    if findings.count() > 0 {
        lines.push(format!("{title}:"));
    }
    for (kind, count, texts) in findings.iter() {
        lines.push(format!("  {count} {kind}"));
        lines.extend(texts.iter().map(|text| format!("    {text}")));
        let more = count - texts.len() as u64;
        if more > 0 {
            lines.push(format!("    and {more} more"));
        }
    }
}

fn next(outcome: &Outcome, wanted: &Wanted, fixed: bool) -> Vec<&'static str> {
    let report = &outcome.report;
    if !outcome.imported {
        let stands = report.conflicts.count() == 0 || wanted.on_conflict == OnConflict::Skip;
        return vec![if stands {
            "Run it without --dry-run; it looks at everything again before it writes."
        } else {
            "Solve the conflicts in Django, or leave them out with `--on-conflict skip`."
        }];
    }
    let mut lines = vec![
        "Sign in with an old password; its hash is renewed then. Keys and ids are the old ones.",
    ];
    match report.key {
        Some(KeyFinding::Fits | KeyFinding::Untried) => {
            lines.push("JWTs of either side pass on the other; `latchkey keys rotate` ends that.");
        }
        None if report.refresh_tokens.read > 0 && !fixed => lines.push(
            "JWTs that Django signed are refused here: run this again with --secret-key, or set \
             LATCHKEY_JWT_SIGNING_KEY.",
        ),
        _ => {}
    }
    lines.push("What Django adds from now on comes over when this is run again.");
    lines
}
