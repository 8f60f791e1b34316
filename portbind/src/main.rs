//! The `portbind` command.

use std::process::ExitCode;

use clap::Parser as _;
use portbind::cli::error::Error;
use portbind::cli::error::{ExitStatus, WRAPPER_FAILED};
use portbind::cli::{Cli, stderr, usage};
use portbind::sys::{signals, stack};

fn main() -> ExitCode {
    signals::fail_writes_beyond_limit();
    // Prints one line, whatever RUST_BACKTRACE in the environment says.
    std::panic::set_hook(Box::new(|panic| {
        stderr::say(format_args!("internal error, please report it: {panic}"));
    }));
    if let Err(error) = stack::make_room().map_err(Error::from) {
        stderr::report(&error);
        return failed(error.status());
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    match cli.run() {
        Ok(status) => status.into(),
        Err(error) => {
            stderr::report(&error);
            error.status().into()
        }
    }
}

/// Help goes to stdout with status 0; a wrong command line to stderr.
fn usage(error: clap::Error) -> ExitCode {
    let code = error.exit_code();
    usage::print(error);
    if code == 0 { ExitStatus::Success.into() } else { failed(ExitStatus::Usage) }
}

/// The status of a failure before the verb runs. For `run` it is the timeout(1) status, because its other statuses come
/// from the command.
fn failed(status: ExitStatus) -> ExitCode {
    let is_run = std::env::args_os().nth(1).is_some_and(|verb| verb == "run");
    if is_run { ExitStatus::Wrapped(WRAPPER_FAILED) } else { status }.into()
}
