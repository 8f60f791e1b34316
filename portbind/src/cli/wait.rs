//! `portbind wait`: until a port is free, or somebody listens on it.

use super::answering::{Answering, Common, report_unseen};
use super::bind_args::BindArgs;
use super::values::Seconds;
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports::{self, Until};

/// What is waited for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`free` is what `portbind check` answers with the same options: without --reuse-address, a TIME_WAIT is waited out, too.
The bind is tried only when the kernel's rule has nothing against it any more.
`listening` is a listener that takes what is sent to --address (any address, if none is given), or a socket of UDP
that receives from anybody. Nothing connects to it.

Exit status: 0 it has come; 1 it has not, when --timeout was over.

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

/// The word after `--until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UntilWord {
    /// A bind would succeed
    Free,
    /// Somebody listens
    Listening,
}

/// Runs the verb: success if what is waited for has come.
///
/// # Errors
/// If the namespace cannot be looked into, or the answer cannot be written.
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
