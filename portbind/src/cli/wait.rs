//! `portbind wait`: waits until a port is free, or a process listens on it.

use super::answering::{Answering, Common, report_unseen};
use super::bind_args::BindArgs;
use super::values::Seconds;
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports::{self, Until};

/// The port and the state to wait for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`free` waits until `portbind check` with the same options succeeds: without --reuse-address, this includes waiting
for TIME_WAIT to end. portbind tries the bind only when the kernel's rule allows it.
`listening` waits for a listener that receives what is sent to --address (any address by default), or for a UDP
socket that receives from any sender. portbind does not connect to the listener.

Exit status: 0 the port is free, or has a listener; 1 --timeout ended the wait.

Examples:
  portbind wait 8080 --until listening --timeout 30
  portbind wait 8080 --until free --timeout 1m && ./server")]
pub struct Args {
    /// The port.
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// What to wait for.
    #[arg(long, value_enum)]
    until: UntilWord,
    /// Give up after this long: 30, 0.5, 5m, 1h. Without it, wait for ever.
    #[arg(long, value_name = "SECS")]
    timeout: Option<Seconds>,
    #[command(flatten)]
    bind: BindArgs,
    #[command(flatten)]
    common: Common,
}

/// The value of `--until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UntilWord {
    /// A bind would succeed
    Free,
    /// A process listens
    Listening,
}

/// Runs the verb; the status is success if the port reached the state.
///
/// # Errors
/// If the namespace cannot be entered, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let until = match args.until {
        UntilWord::Free => Until::Free,
        UntilWord::Listening => Until::Listening,
    };
    let timeout = args.timeout.map(|Seconds(timeout)| timeout);
    let wait = ports::wait(&answering.inspector, &args.bind.bind(args.port), until, timeout)?;
    if !wait.reached {
        report_unseen(wait.unseen);
    }
    answering.answer(&Answer::Wait(&wait))?;
    Ok(if wait.reached { ExitStatus::Success } else { ExitStatus::Negative })
}
