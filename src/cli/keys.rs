//! `latchkey keys`: what the panel's page of signing keys does, for scripts and for nights.

use clap::Subcommand;
use serde::Serialize;

use super::{Context, Failure, print};
use crate::{
    app::App,
    clock::rfc3339,
    db::Opener,
    domain::{
        actor::Actor,
        signing_keys::{self, KeyState, SigningKey},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// All of them: name, algorithm, state, when it signs and until when it is accepted.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// The next key signs in two seconds. Nobody is signed out.
    Rotate,
    /// For a key that others know: everything it signed is refused at once.
    Revoke {
        /// As `latchkey keys list` shows it.
        key: String,
    },
}

pub(super) async fn run(context: Context, what: Keys) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    let by = Actor::operator();
    match what {
        Keys::List { json } => list(&app, json).await?,
        Keys::Rotate => {
            let key = signing_keys::rotate(&app, &by).await?;
            print::line(signing_keys::name(&key))?;
            print::aside("it signs in two seconds; what the one before it signed stays good");
        }
        Keys::Revoke { key } => {
            let keys = signing_keys::list(&app).await?;
            let found = keys.iter().find(|one| signing_keys::name(one) == key);
            let found = found.ok_or_else(|| Failure::Said(format!("there is no key {key:?}")))?;
            signing_keys::revoke(&app, &by, found.id).await?;
            print::aside("what it signed is refused from now on");
        }
    }
    super::finish(app).await
}

#[derive(Serialize)]
struct KeyLine<'a> {
    key: &'a str,
    algorithm: &'a str,
    state: &'static str,
    /// Null: when its turn comes.
    signs_from: Option<String>,
    /// Null: not decided.
    accepted_until: Option<String>,
}

impl<'a> KeyLine<'a> {
    fn of(key: &'a SigningKey, state: KeyState) -> Self {
        // The first key of all has signed from the start.
        let signs_from = key.activates_at.map(|at| at.max(key.created_at));
        Self {
            key: signing_keys::name(key),
            algorithm: &key.algorithm,
            state: state.as_str(),
            signs_from: signs_from.map(rfc3339),
            accepted_until: key.retires_at.map(rfc3339),
        }
    }
}

async fn list(app: &App, json: bool) -> Result<(), Failure> {
    let keys = signing_keys::judged(app).await?;
    let lines: Vec<_> = keys.iter().map(|(key, s)| KeyLine::of(key, *s)).collect();
    if json {
        print::json(&lines)?;
    } else if lines.is_empty() {
        print::aside("there are no keys yet; the server makes the first when it starts");
    } else {
        let dash = |date: &Option<String>| date.clone().unwrap_or_else(|| "-".to_owned());
        let cells = |line: &KeyLine<'_>| {
            [
                line.key.to_owned(),
                line.algorithm.to_owned(),
                line.state.to_owned(),
                dash(&line.signs_from),
                dash(&line.accepted_until),
            ]
        };
        let rows: Vec<_> = lines.iter().map(cells).collect();
        print::table(
            ["KEY", "ALGORITHM", "STATE", "SIGNS FROM", "ACCEPTED UNTIL"],
            &rows,
        )?;
    }
    if app.config.jwt_signing_key.is_some() {
        print::aside("the key of the setting jwt_signing_key signs");
    }
    Ok(())
}
