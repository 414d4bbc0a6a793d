//! `latchkey keys`: what the panel's page of signing keys does, for scripts and for nights.

use clap::Subcommand;
use time::OffsetDateTime;

use super::{Context, Failure, say};
use crate::{
    app::App,
    db::Opener,
    domain::{
        actor::Actor,
        signing_keys::{self, KeyState, SigningKey},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// All of them: name, algorithm, state, when it signs and until when it is accepted.
    List,
    /// The next key signs from now on. Nobody is logged out.
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
        Keys::List => list(&app).await?,
        Keys::Rotate => {
            let key = signing_keys::rotate(&app, &by).await?;
            say(signing_keys::name(&key));
            eprintln!("It signs from now on; what the one before it signed stays good.");
        }
        Keys::Revoke { key } => {
            let keys = signing_keys::list(&app).await?;
            let found = keys.iter().find(|one| signing_keys::name(one) == key);
            let found = found.ok_or_else(|| Failure::Said(format!("there is no key {key:?}")))?;
            signing_keys::revoke(&app, &by, found.id).await?;
            eprintln!("What it signed is refused from now on.");
        }
    }
    app.db.close().await?;
    Ok(())
}

async fn list(app: &App) -> Result<(), Failure> {
    let keys = signing_keys::list(app).await?;
    let states = signing_keys::states(&keys, app.now());
    for (key, state) in keys.iter().zip(states) {
        say(&line(key, state));
    }
    if app.config.jwt_signing_key.is_some() {
        eprintln!("The key of the setting jwt_signing_key signs.");
    }
    Ok(())
}

fn line(key: &SigningKey, state: KeyState) -> String {
    format!(
        "{:16}  {:5}  {:8}  {:20}  {}",
        signing_keys::name(key),
        key.algorithm,
        state.as_str(),
        key.activates_at.map_or_else(|| "-".to_owned(), date),
        key.retires_at.map_or_else(|| "-".to_owned(), date),
    )
}

fn date(seconds: i64) -> String {
    use time::format_description::well_known::Rfc3339;
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| "-".to_owned())
}
