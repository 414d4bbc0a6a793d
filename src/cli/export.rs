//! `export` and `import`: all data as a file of JSON lines.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::Path,
};

use super::{Context, Failure, print};
use crate::{
    app::{self, App},
    clock::Clock,
    db::Opener,
    domain::{
        actor::Actor,
        transfer::{self, Report},
    },
    new_file::NewFile,
};

impl Context {
    /// The application on a database that is there, with the secret that is there: makes neither,
    /// and migrates nothing.
    pub(super) async fn open_as_it_is(self) -> Result<App, Failure> {
        self.database_is_there()?;
        if app::present_keys(&self.config)?.is_none() {
            let text = "the server secret that this database was made with is not here";
            return Err(Failure::Said(text.to_owned()));
        }
        Ok(App::open_as(Opener::Command, self.config, Clock::System).await?)
    }
}

pub(super) async fn export(context: Context, to: &Path) -> Result<(), Failure> {
    let app = context.open_as_it_is().await?;
    let file = NewFile::begin(to)?;
    let exported = transfer::export(&app, &mut BufWriter::new(file.file())).await;
    app.db.close().await?;
    let report = exported?;
    file.keep()?;
    print_report(&report)?;
    print::aside("the server secret is not in it, and is needed to import it");
    Ok(())
}

pub(super) async fn import(context: Context, from: &Path) -> Result<(), Failure> {
    let file = File::open(from).map_err(|e| Failure::Said(format!("{}: {e}", from.display())))?;
    let app = context.open(Opener::Command).await?;
    let imported = transfer::import(&app, &Actor::operator(), BufReader::new(file)).await;
    super::finish(app).await?;
    print_report(&imported?)
}

pub(super) fn print_report(report: &Report) -> Result<(), Failure> {
    let rows: Vec<_> = report
        .iter()
        .map(|(table, content)| {
            [
                (*table).to_owned(),
                content.rows.to_string(),
                content.digest(),
            ]
        })
        .collect();
    Ok(print::table(["TABLE", "ROWS", "DIGEST"], &rows)?)
}
