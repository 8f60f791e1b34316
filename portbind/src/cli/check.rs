//! `portbind check`: whether a bind would succeed now.

use super::answering::{Answering, Common, report_unseen};
use super::bind_args::BindArgs;
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports;

/// The bind that is asked about.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It is asked of the kernel's rule, and then tried: a socket is bound, listens if it is of TCP and does not share the
port, and is closed again. That holds the port for microseconds.

Exit status: 0 it would succeed; 1 it would not.

Examples:
  portbind check 8080
  portbind check 8080 --address 127.0.0.1 --reuse-address")]
pub struct Args {
    /// The port.
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    #[command(flatten)]
    bind: BindArgs,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb: success if the bind would succeed.
///
/// # Errors
/// If the namespace cannot be looked into, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let check = ports::check(&answering.inspector, &args.bind.bind(args.port))?;
    if check.refusal.is_some() {
        report_unseen(check.unseen);
    }
    answering.answer(&Answer::Check(&check))?;
    Ok(if check.refusal.is_some() { ExitStatus::Negative } else { ExitStatus::Success })
}
