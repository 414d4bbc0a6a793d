//! `move-database`: from SQLite to PostgreSQL or back.

use super::{Context, Failure, export::print_report, print};
use crate::domain::{actor::Actor, transfer};

pub(super) async fn run(context: Context, to: &str) -> Result<(), Failure> {
    let target = context.config.with_database(to)?;
    let secret_in_file = context.config.secret_key.is_none();
    let app = context.open_as_it_is().await?;
    let moved = transfer::move_to(&app, &Actor::operator(), &target).await;
    app.db.close().await?;
    print_report(&moved?)?;
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
