//! `tokens scan`: leaked keys in files and trees. Calls nobody; needs the server secret to tell whose
//! keys they are, and the database only where it is asked to look them up.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;
use tokio::{sync::mpsc, task::spawn_blocking};
use walkdir::WalkDir;

use crate::cli::{
    Context, Failure,
    print::{self, JsonArray},
};
use crate::{
    app::{self, App},
    db::Opener,
    domain::{
        actor::Actor,
        tokens::{self, Found, Scanner, TokenRow, TokenState, Whose},
    },
    error::Error,
    keys::Keyring,
};

/// Finds API keys of Latchkey servers in files and folders, hidden and binary ones included.
///
/// Prints path, line, column and the first characters of each key. Named keys (`lk_…`) are told by
/// their checksum, and this server's own by a part that only its secret can have made. Default keys
/// are 40 hex digits like any other; only --lookup can find them.
///
/// Exit code: 0 nothing found, 1 something found, 2 something could not be read.
#[derive(Args, Debug)]
pub struct Scan {
    /// Files or folders; `-` is standard input.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Ask the database, too: finds default keys; says owner, name and state.
    #[arg(long)]
    lookup: bool,
    /// Revoke what is found and still works.
    #[arg(long, requires = "lookup")]
    revoke: bool,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// From the walk to the printer.
enum Seen {
    Key(String, Found),
    Trouble(String),
}

/// So many keys are looked up at once.
const BATCH: usize = 500;

#[derive(Serialize)]
struct Finding {
    path: String,
    line: u64,
    column: u64,
    prefix: String,
    whose: &'static str,
    /// Only where it was looked up, and is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Known>,
}

#[derive(Serialize)]
struct Known {
    id: i64,
    owner: String,
    name: String,
    state: &'static str,
    /// By this very command.
    revoked_now: bool,
}

pub async fn run(context: Context, scan: Scan) -> Result<ExitCode, Failure> {
    let keys = app::present_keys(&context.config)?;
    if keys.is_none() {
        print::aside("no server secret is here: cannot tell whose keys are found");
    }
    let app = if scan.lookup {
        Some(context.open_present(Opener::Command).await?)
    } else {
        None
    };
    let (tell, mut seen) = mpsc::channel(BATCH);
    let walk = {
        let (paths, keys, hex) = (scan.paths.clone(), keys.clone(), scan.lookup);
        spawn_blocking(move || {
            paths
                .iter()
                .all(|path| search(path, keys.as_ref(), hex, &tell))
        })
    };
    let mut report = Report::new(&scan);
    let mut batch = Vec::new();
    while seen.recv_many(&mut batch, BATCH).await > 0 {
        let rows = match &app {
            Some(app) => look_up(app, &batch).await?,
            None => Vec::new(),
        };
        for one in batch.drain(..) {
            report.take(app.as_ref(), &rows, one).await?;
        }
    }
    walk.await.map_err(|e| Failure::Said(e.to_string()))?;
    if let Some(app) = app {
        crate::cli::finish(app).await?;
    }
    report.end()
}

async fn look_up(app: &App, batch: &[Seen]) -> Result<Vec<TokenRow>, Failure> {
    let digests = batch.iter().filter_map(|seen| match seen {
        Seen::Key(_, found) if found.whose != Whose::Others => {
            Some(app.keys.token_digest(found.key.expose()))
        }
        _ => None,
    });
    let digests: Vec<_> = digests.collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tokens::find_by_digests(app, &digests).await?)
}

struct Report {
    array: Option<JsonArray>,
    revoke: bool,
    found: u64,
    ours: u64,
    trouble: bool,
}

impl Report {
    fn new(scan: &Scan) -> Self {
        Self {
            array: scan.json.then(JsonArray::default),
            revoke: scan.revoke,
            found: 0,
            ours: 0,
            trouble: false,
        }
    }

    async fn take(
        &mut self,
        app: Option<&App>,
        rows: &[TokenRow],
        seen: Seen,
    ) -> Result<(), Failure> {
        let (path, found) = match seen {
            Seen::Key(path, found) => (path, found),
            Seen::Trouble(text) => {
                self.trouble = true;
                print::aside(&text);
                return Ok(());
            }
        };
        let token = match app {
            Some(app) => {
                let digest = app.keys.token_digest(found.key.expose());
                match rows.iter().find(|row| row.token.digest == digest) {
                    Some(row) => Some(self.known(app, row).await?),
                    None => None,
                }
            }
            None => None,
        };
        if !found.is_named && token.is_none() {
            return Ok(());
        }
        let whose = match found.whose {
            _ if token.is_some() => Whose::Ours,
            whose => whose,
        };
        self.found += 1;
        self.ours += u64::from(whose == Whose::Ours);
        let finding = Finding {
            path,
            line: found.line,
            column: found.column,
            prefix: found.key.expose().chars().take(8).collect(),
            whose: match whose {
                Whose::Ours => "ours",
                Whose::Others => "another server",
                Whose::Unknown => "unknown",
            },
            token,
        };
        match &mut self.array {
            Some(array) => array.push(&finding)?,
            None => print::line(&finding.text())?,
        }
        Ok(())
    }

    async fn known(&self, app: &App, row: &TokenRow) -> Result<Known, Failure> {
        let state = tokens::state(&row.token, app.now());
        let mut known = Known {
            id: row.token.id,
            owner: row.owner.username.clone(),
            name: row.token.name.clone(),
            state: state.as_str(),
            revoked_now: false,
        };
        if self.revoke && state == TokenState::Active {
            match tokens::revoke(app, &Actor::operator(), row.token.id).await {
                Ok(()) => known.revoked_now = true,
                // It stood in this batch before, or somebody was quicker.
                Err(Error::Conflict(_) | Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
            known.state = TokenState::Revoked.as_str();
        }
        Ok(known)
    }

    fn end(self) -> Result<ExitCode, Failure> {
        match self.array {
            Some(array) => array.end()?,
            None if self.found > 0 => {
                let keys = if self.found == 1 { "key" } else { "keys" };
                print::aside(&format!(
                    "{} {keys} found, {} of this server",
                    self.found, self.ours
                ));
            }
            None => {}
        }
        Ok(match (self.trouble, self.found) {
            (true, _) => ExitCode::from(TROUBLE),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::from(1),
        })
    }
}

/// The exit code where something could not be read or asked, as grep has it.
pub const TROUBLE: u8 = 2;

impl Finding {
    fn text(&self) -> String {
        let whose = match self.whose {
            "ours" => "a key of this server",
            "unknown" => "a Latchkey key",
            _ => "a key of another Latchkey server",
        };
        let known = self.token.as_ref().map_or_else(String::new, |token| {
            let now = if token.revoked_now { " just now" } else { "" };
            format!(
                ": token {} of {}, “{}”, {}{now}",
                token.id, token.owner, token.name, token.state
            )
        });
        let Self {
            path,
            line,
            column,
            prefix,
            ..
        } = self;
        format!("{path}:{line}:{column}: {prefix}… {whose}{known}")
    }
}

/// One path and all below it. False: nobody listens any more.
fn search(path: &Path, keys: Option<&Keyring>, hex: bool, tell: &mpsc::Sender<Seen>) -> bool {
    let scanner = Scanner { keys, hex };
    if path.as_os_str() == "-" {
        return scan(scanner, "-", io::stdin().lock(), tell);
    }
    // Not through links: what they point to is elsewhere, or met anyway.
    WalkDir::new(path)
        .follow_links(false)
        .into_iter()
        .all(|entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return tell.blocking_send(Seen::Trouble(e.to_string())).is_ok(),
            };
            // Pipes and devices only where they are named themselves: reading one might never end.
            let named = entry.depth() == 0 && !entry.path().is_dir();
            if !entry.file_type().is_file() && !named {
                return true;
            }
            let name = entry.path().display().to_string();
            match File::open(entry.path()) {
                Ok(file) => scan(scanner, &name, file, tell),
                Err(e) => trouble(tell, &name, &e),
            }
        })
}

fn scan(scanner: Scanner<'_>, path: &str, from: impl io::Read, tell: &mpsc::Sender<Seen>) -> bool {
    let mut heard = true;
    let read = scanner.scan(from, |found| {
        heard = tell
            .blocking_send(Seen::Key(path.to_owned(), found))
            .is_ok();
        heard
    });
    match read {
        Ok(()) => heard,
        Err(e) => trouble(tell, path, &e),
    }
}

fn trouble(tell: &mpsc::Sender<Seen>, path: &str, e: &io::Error) -> bool {
    let text = format!("{path}: {e}");
    tell.blocking_send(Seen::Trouble(text)).is_ok()
}
