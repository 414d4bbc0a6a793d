//! `mail`: whether letters go out.

use clap::Subcommand;

use super::{Context, Failure, say};
use crate::{app::App, clock::Clock, db::Opener, domain::mail};

#[derive(Debug, Subcommand)]
pub(super) enum Mail {
    /// Send one letter to this address now, and say what the mail server answers.
    Test { address: String },
}

pub(super) async fn run(context: Context, Mail::Test { address }: Mail) -> Result<(), Failure> {
    // The database has nothing to say about it: it is not migrated for that.
    context.database_is_there()?;
    let app = App::open_as(Opener::Command, context.config, Clock::System).await?;
    let sent = mail::send_test(&app, &address).await;
    app.db.close().await?;
    sent?;
    say(&format!("The mail server took a letter to {address}."));
    Ok(())
}
