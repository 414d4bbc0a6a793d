//! `backup`: a copy of the SQLite database, also of one that is being served.

use std::{path::Path, time::Instant};

use super::{Context, Failure, print};
use crate::{
    db::{Db, Opener},
    domain::backup,
};

pub(super) async fn run(context: Context, file: &Path) -> Result<(), Failure> {
    context.database_is_there()?;
    // Not migrated: the copy before an upgrade is of what there was.
    let db = Db::connect(&context.config, Opener::Command).await?;
    let begun = Instant::now();
    let copied = backup::to_file(&db, file).await;
    db.close().await?;
    let bytes = copied?;
    print::line(&format!(
        "Copied {bytes} bytes to {} in {:.1} s; the copy passed the integrity check.",
        file.display(),
        begun.elapsed().as_secs_f64(),
    ))?;
    print::aside("the server secret is not in it; keep that as well, apart from it");
    Ok(())
}
