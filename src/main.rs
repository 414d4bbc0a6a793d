//! The `latchkey` command; see `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    latchkey::cli::run()
}
