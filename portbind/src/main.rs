//! The `portbind` command: parses, runs, reports.

use std::process::ExitCode;

use clap::Parser as _;
use portbind::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status.into(),
        Err(error) => {
            anstream::eprintln!("portbind: {error}");
            if let Some(hint) = error.hint() {
                anstream::eprintln!("hint: {hint}");
            }
            error.status().into()
        }
    }
}
