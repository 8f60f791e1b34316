//! The `portbind` command: parses, runs, reports.

use std::process::ExitCode;

use clap::Parser as _;
use portbind::cli::Cli;
use portbind::error::{ExitStatus, WRAPPER_FAILED};
use portbind::stderr;

fn main() -> ExitCode {
    // One line, and nothing of it by the environment (RUST_BACKTRACE).
    std::panic::set_hook(Box::new(|panic| {
        stderr::say(format_args!("portbind: internal error, please report it: {panic}"));
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.run() {
        Ok(status) => status.into(),
        Err(error) => {
            stderr::say(format_args!("portbind: {error}"));
            if let Some(hint) = error.hint() {
                stderr::say(format_args!("hint: {hint}"));
            }
            error.status().into()
        }
    }
}

/// Help goes to stdout with status 0; a wrong command line to stderr, with the status of timeout(1) where the
/// status is else that of a command.
fn usage(error: &clap::Error) -> ExitCode {
    // Who closed the stream does not want to read it.
    let _printed = error.print();
    let is_run = std::env::args_os().nth(1).is_some_and(|verb| verb == "run");
    match error.exit_code() {
        0 => ExitStatus::Success,
        _ if is_run => ExitStatus::Wrapped(WRAPPER_FAILED),
        _ => ExitStatus::Usage,
    }
    .into()
}
