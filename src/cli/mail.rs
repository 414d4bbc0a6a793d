//! `mail`: whether letters go out, and what becomes of those that were given up.

use clap::Subcommand;

use super::{Context, Failure, say};
use crate::{
    app::App,
    clock::Clock,
    db::Opener,
    domain::{actor::Actor, mail},
};

#[derive(Debug, Subcommand)]
pub(super) enum Mail {
    /// Send one letter to this address now, and say what the mail server answers.
    Test { address: String },
    /// Send those again that were given up, if their links still work.
    Retry,
    /// Throw away those that were given up.
    Drop,
}

pub(super) async fn run(context: Context, what: Mail) -> Result<(), Failure> {
    // Which is not migrated for that.
    context.database_is_there()?;
    let app = App::open_as(Opener::Command, context.config, Clock::System).await?;
    let by = Actor::operator();
    let done = match &what {
        Mail::Test { address } => mail::send_test(&app, address)
            .await
            .map(|()| format!("The mail server took a letter to {address}.")),
        Mail::Retry => mail::retry_dead(&app, &by)
            .await
            .map(|n| format!("{} will be tried again by the server.", letters(n))),
        Mail::Drop => mail::drop_dead(&app, &by)
            .await
            .map(|n| format!("{} thrown away.", letters(n))),
    };
    app.db.close().await?;
    say(&done?);
    Ok(())
}

fn letters(n: u64) -> String {
    if n == 1 {
        "1 letter".to_owned()
    } else {
        format!("{n} letters")
    }
}
