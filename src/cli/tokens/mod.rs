//! `tokens`: listing, making, renaming, extending, rotating and revoking API tokens; `scan` is beside this file.
//! A new key stands alone on standard output, words go to standard error.

mod arguments;
mod facts;
pub mod scan;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use arguments::{grace, life, scopes};
use facts::Facts;

use super::{
    Context, Failure, accounts,
    print::{self, JsonArray},
};
use crate::{
    app::App,
    clock::rfc3339,
    db::Opener,
    domain::{
        actor::Actor,
        paging::PageRequest,
        scopes::Scopes,
        tokens::{self, NewToken, TokenFilter, TokenState},
        usage, users,
    },
    error::Error,
    secret::TokenKey,
};

#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// List tokens, the newest first: those that work now.
    List {
        /// Only the tokens of this user.
        #[arg(long)]
        user: Option<String>,
        /// Expired and revoked ones, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Make a named token and print its key, which is shown only now.
    Create {
        username: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// When it ends, such as 90d, 12h or 2w; without it never, or as late as the server allows.
        #[arg(long, value_parser = life)]
        expires_in: Option<i64>,
        /// What it may be used for, such as "students:read tokens:manage".
        #[arg(long, default_value = "full", value_parser = scopes)]
        scopes: Scopes,
        #[command(flatten)]
        format: Format,
    },
    /// Show one token; never its key.
    Show {
        id: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Give a token another name.
    Rename { id: i64, name: String },
    /// Let a token that works end at another time.
    Extend {
        id: i64,
        /// When it ends, from now, such as 90d, 12h or 2w.
        #[arg(long, value_parser = life, required_unless_present = "never")]
        expires_in: Option<i64>,
        /// It does not end, or as late as the server allows.
        #[arg(long, conflicts_with = "expires_in")]
        never: bool,
    },
    /// Give a token a new key and print it; the old one stops at once, or after a while.
    Rotate {
        id: i64,
        /// For how long the old key works on, such as 1h; a week at most.
        #[arg(long, default_value = "0", value_parser = grace)]
        grace: i64,
        #[command(flatten)]
        format: Format,
    },
    /// End a token for good.
    Revoke { id: i64 },
    /// Find leaked keys in files and folders.
    Scan(scan::Scan),
}

#[derive(Args, Debug)]
pub struct Format {
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

pub async fn run(context: Context, command: Tokens) -> Result<ExitCode, Failure> {
    if let Tokens::Scan(scan) = command {
        return scan::run(context, scan).await;
    }
    let app = context.open(Opener::Command).await?;
    let done = act(&app, command).await;
    crate::cli::finish(app).await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(app: &App, command: Tokens) -> Result<(), Failure> {
    let by = Actor::operator();
    match command {
        Tokens::List { user, all, format } => list(app, user, all, format.json).await,
        Tokens::Create {
            username,
            name,
            expires_in,
            scopes,
            format,
        } => {
            let owner = users::find_by_username(app, &username).await?;
            let owner = owner.ok_or_else(|| accounts::unknown(&username))?;
            let new = NewToken {
                user_id: owner.id,
                name,
                expires_at: expires_in.map(|seconds| app.now() + seconds),
                scopes,
            };
            let (token, key) = tokens::issue(app, &by, new).await?;
            made(app, token.id, &key, format.json).await?;
            if token.expires_at.is_none() {
                print::aside("it never expires; --expires-in 90d makes one that does");
            }
            Ok(())
        }
        Tokens::Show { id, format } => show(app, id, format.json).await,
        Tokens::Rename { id, name } => {
            let token = tokens::rename(app, &by, id, &name).await;
            let token = token.map_err(|e| about(id, e))?;
            print::aside(&format!("token {id} is now called “{}”", token.name));
            Ok(())
        }
        Tokens::Extend {
            id,
            expires_in,
            never: _,
        } => {
            let ends = expires_in.map(|seconds| app.now() + seconds);
            let token = tokens::extend(app, &by, id, ends).await;
            let token = token.map_err(|e| about(id, e))?;
            let until = token.expires_at.map(rfc3339);
            let until = until.map_or_else(|| "never ends".to_owned(), |at| format!("ends at {at}"));
            print::aside(&format!("token {id} {until}"));
            Ok(())
        }
        Tokens::Rotate { id, grace, format } => {
            let rotated = tokens::rotate(app, &by, id, grace).await;
            let (token, key) = rotated.map_err(|e| about(id, e))?;
            made(app, token.id, &key, format.json).await?;
            let old = match grace {
                0 => "has stopped".to_owned(),
                _ => format!("works for {} more", tokens::in_words(grace)),
            };
            print::aside(&format!("the old key of token {id} {old}"));
            Ok(())
        }
        Tokens::Revoke { id } => {
            let revoked = tokens::revoke(app, &by, id).await;
            revoked.map_err(|e| about(id, e))?;
            print::aside(&format!("token {id} is revoked"));
            Ok(())
        }
        Tokens::Scan(_) => Ok(()),
    }
}

fn about(id: i64, e: Error) -> Failure {
    match e {
        Error::NotFound => Failure::Said(format!("there is no token {id}")),
        other => other.into(),
    }
}

async fn made(app: &App, id: i64, key: &TokenKey, json: bool) -> Result<(), Failure> {
    if json {
        let facts = Facts::of(app, &tokens::get(app, id).await?).with_key(key);
        print::json(&facts)?;
    } else {
        print::line(key.expose())?;
        print::aside(&format!("this is token {id}; its key is shown only now"));
    }
    Ok(())
}

async fn list(app: &App, user: Option<String>, all: bool, json: bool) -> Result<(), Failure> {
    let owner = match user {
        None => None,
        Some(name) => {
            let user = users::find_by_username(app, &name).await?;
            Some(user.ok_or_else(|| accounts::unknown(&name))?.id)
        }
    };
    let mut filter = TokenFilter {
        owner,
        state: (!all).then_some(TokenState::Active),
        page: PageRequest {
            cursor: None,
            size: 100,
        },
        ..TokenFilter::default()
    };
    let mut array = JsonArray::default();
    let mut rows = Vec::new();
    loop {
        let page = tokens::list(app, &filter).await?;
        for row in &page.rows {
            let facts = Facts::of(app, row);
            if json {
                array.push(&facts)?;
            } else {
                rows.push(facts.cells());
            }
        }
        filter.page.cursor = page.next;
        if filter.page.cursor.is_none() {
            break;
        }
    }
    if json {
        array.end()?;
    } else {
        print::table(Facts::HEADINGS, &rows)?;
    }
    Ok(())
}

async fn show(app: &App, id: i64, json: bool) -> Result<(), Failure> {
    let row = tokens::get(app, id).await.map_err(|e| about(id, e))?;
    let uses = usage::uses_of(app, id).await?;
    let facts = Facts {
        uses_today: Some(uses.today()),
        uses_last_30_days: Some(uses.total()),
        ..Facts::of(app, &row)
    };
    if json {
        print::json(&facts)?;
        return Ok(());
    }
    let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.to_owned());
    let last_used = match (facts.last_used, facts.last_used_address) {
        (Some(at), Some(from)) => format!("{at} from {from}"),
        (at, _) => or(at, "never"),
    };
    let created = format!("{} by {}", facts.created, or_someone(&facts.created_by));
    let mut lines = vec![
        ("token", id.to_string()),
        ("owner", facts.owner),
        ("name", facts.name),
        ("state", facts.state.to_owned()),
        ("starts with", facts.prefix),
        ("scopes", facts.scopes.join(" ")),
        ("created", created),
        ("expires", or(facts.expires, "never")),
        ("last used", last_used),
        ("uses today", uses.today().to_string()),
        ("in 30 days", uses.total().to_string()),
    ];
    if let (Some(at), by) = (facts.revoked, facts.revoked_by.unwrap_or_default()) {
        lines.push(("revoked", format!("{at} ({})", or_someone(&by))));
    }
    for (what, text) in lines {
        print::line(&format!("{what:<12} {text}"))?;
    }
    Ok(())
}

fn or_someone(name: &str) -> &str {
    if name.is_empty() { "someone" } else { name }
}
