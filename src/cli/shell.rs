//! `completions` and `man`, made from the definition of the commands: they need no settings.

use std::{io::Write, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure, print};

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    // It would panic where nobody reads to the end.
    clap_complete::generate(shell, &mut Cli::command(), "latchkey", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}

/// The main page to standard output, or a page for each command into a folder.
pub(super) fn man(folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        std::io::stdout().lock().write_all(&page)?;
        return Ok(());
    };
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    print::aside(&format!("the pages are in {}", folder.display()));
    Ok(())
}
