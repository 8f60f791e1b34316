//! `portbind who`: shows every socket on a port, and every process that has one of them open.

use super::answering::{Answering, Common, report_unseen};
use super::values::{PortProtocol, Target};
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports;

/// The port or socket name to search for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs no tracing. As root, portbind sees every socket and process; otherwise it shows what it may see, and
reports on stderr what it may not.

Exit status: 0 a socket was found; 1 none was found.

Examples:
  sudo portbind who 8080
  sudo portbind who /run/app.sock")]
pub struct Args {
    /// A port, the path of a socket (with a slash in it), or @NAME for an abstract socket.
    #[arg(value_name = "PORT|PATH")]
    target: Target,
    /// Only this protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO")]
    protocol: Option<PortProtocol>,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb; the status is success if a socket was found.
///
/// # Errors
/// If the namespace cannot be entered, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let protocol = args.protocol.map(|PortProtocol(protocol)| protocol);
    let who = ports::who(&answering.inspector, &args.target.0, protocol)?;
    report_unseen(who.unseen);
    answering.answer(&Answer::Who(&who))?;
    Ok(if who.is_somebody() { ExitStatus::Success } else { ExitStatus::Negative })
}
