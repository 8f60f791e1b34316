//! `portbind check`: reports whether a bind would succeed now.

use super::answering::{Answering, Common, report_unseen};
use super::bind_args::BindArgs;
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports;

/// The bind to check.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
portbind applies the kernel's rule to the sockets on the port, and then tries the bind: it binds a socket, makes it
listen if it is a TCP socket that does not share the port, and closes it. This holds the port for microseconds.

Exit status: 0 the bind would succeed; 1 it would not.

Examples:
  portbind check 8080
  portbind check 8080 --address 127.0.0.1 --reuse-address")]
pub struct Args {
    /// The port to bind.
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    #[command(flatten)]
    bind: BindArgs,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb; the status is success if the bind would succeed.
///
/// # Errors
/// If the namespace cannot be entered, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let check = ports::check(&answering.inspector, &args.bind.bind(args.port))?;
    if check.refusal.is_some() {
        report_unseen(check.unseen);
    }
    answering.answer(&Answer::Check(&check))?;
    Ok(if check.refusal.is_some() { ExitStatus::Negative } else { ExitStatus::Success })
}
