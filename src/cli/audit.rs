//! `latchkey audit`: whether the log is what was written, the log as a file, the key that verifies it.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;

use super::{Context, Failure, print};
use crate::{
    app,
    domain::audit::{self, Intact, PublicKey},
    new_file::NewFile,
};

/// What `verify` ends with where it could not judge; 1 says that something is wrong with the log.
pub(super) const TROUBLE: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Check that nothing was changed, taken out or cut off. Ends with 1 and names the first bad event
    /// if something was, with 2 if it cannot tell.
    Verify {
        /// An exported file instead of the database.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// What checkpoints are verified with, as `latchkey audit public-key` prints it; by default
        /// that of this server's secret.
        #[arg(long, value_name = "HEX")]
        public_key: Option<PublicKey>,
    },
    /// Write all events as lines of JSON that `verify --export` can check.
    Export {
        /// Must not exist yet; made with mode 0600. Standard output if none is named.
        file: Option<PathBuf>,
    },
    /// Print the key that verifies the checkpoints. Keep it where the database is not.
    PublicKey,
}

pub(super) async fn run(context: Context, what: Audit) -> Result<ExitCode, Failure> {
    match what {
        Audit::Verify { export, public_key } => {
            return verify(context, export.as_deref(), public_key).await;
        }
        Audit::Export { file } => export(context, file.as_deref()).await?,
        Audit::PublicKey => print::line(&own_key(&context)?.to_string())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn own_key(context: &Context) -> Result<PublicKey, Failure> {
    let keys = app::present_keys(&context.config)?.ok_or_else(|| {
        Failure::Said("there is no server secret here; give --public-key".to_owned())
    })?;
    Ok(audit::public_key(&keys)?)
}

async fn verify(
    context: Context,
    file: Option<&Path>,
    key: Option<PublicKey>,
) -> Result<ExitCode, Failure> {
    let key = key.map_or_else(|| own_key(&context), Ok)?;
    let verdict = if let Some(path) = file {
        let file = File::open(path);
        let file = file.map_err(|e| Failure::Said(format!("{}: {e}", path.display())))?;
        audit::verify_lines(BufReader::new(file), key)?
    } else {
        let app = context.open_as_it_is().await?;
        let verdict = audit::verify(&app, key).await;
        app.db.close().await?;
        verdict?
    };
    match verdict {
        Ok(intact) => {
            tell(&intact)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(flaw) => {
            print::line(&format!("NOT INTACT: {flaw}"))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn tell(intact: &Intact) -> Result<(), Failure> {
    print::line(&format!(
        "Intact: {} events, {} checkpoints.",
        intact.events, intact.checkpoints
    ))?;
    if intact.events > 0 {
        print::line(&format!("Last: #{} {}", intact.events, intact.hash))?;
    }
    let unsigned = intact.events - intact.covered;
    if unsigned > 0 {
        print::aside(&format!(
            "the last {unsigned} are chained and wait for a checkpoint"
        ));
    }
    if intact.unsealed.n > 0 {
        let over = if intact.unsealed.exact { "" } else { "over " };
        let n = intact.unsealed.n;
        print::aside(&format!("{over}{n} more wait to be sealed"));
    }
    Ok(())
}

async fn export(context: Context, to: Option<&Path>) -> Result<(), Failure> {
    let app = context.open_as_it_is().await?;
    let exported = match to {
        Some(path) => {
            let file = NewFile::begin(path)?;
            let exported = audit::export(&app, &mut BufWriter::new(file.file())).await;
            match exported {
                Ok(events) => file.keep().map(|_| events),
                Err(e) => Err(e),
            }
        }
        None => audit::export(&app, &mut BufWriter::new(std::io::stdout())).await,
    };
    app.db.close().await?;
    print::aside(&format!("{} events", exported?));
    Ok(())
}
