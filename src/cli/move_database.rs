//! `move-database`: from SQLite to PostgreSQL or back.

use super::{Context, Failure, print};
use crate::{
    app::{self, App},
    clock::Clock,
    db::Opener,
    domain::{actor::Actor, transfer},
};

pub(super) async fn run(context: Context, to: &str) -> Result<(), Failure> {
    let target = context.config.with_database(to)?;
    context.database_is_there()?;
    // `App::open_as` would make one.
    if app::present_keys(&context.config)?.is_none() {
        let text = "the server secret that this database was made with is not here";
        return Err(Failure::Said(text.to_owned()));
    }
    let secret_in_file = context.config.secret_key.is_none();
    let app = App::open_as(Opener::Command, context.config, Clock::System).await?;
    let moved = transfer::move_to(&app, &Actor::operator(), &target).await;
    app.db.close().await?;
    let rows: Vec<_> = moved?
        .into_iter()
        .map(|(table, content)| [table.to_owned(), content.rows.to_string(), content.digest()])
        .collect();
    print::table(["TABLE", "ROWS", "DIGEST"], &rows)?;
    let place = target.database_in_words();
    print::aside(&format!(
        "everything is in the {place} now, counted and compared; the source is as it was"
    ));
    print::aside("set LATCHKEY_DATABASE_URL to the new address before you start the server");
    if secret_in_file && target.is_postgres() {
        let file = target.data_dir.join("secret_key");
        print::aside(&format!(
            "and LATCHKEY_SECRET_KEY to the text of {}",
            file.display()
        ));
    }
    Ok(())
}
