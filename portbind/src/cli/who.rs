//! `portbind who`: every socket on a port and every process behind it.

use super::answering::{Answering, Common, report_unseen};
use super::values::{PortProtocol, Target};
use crate::cli::error::{Error, ExitStatus};
use crate::output::answer::Answer;
use crate::ports;

/// Whose port it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs no tracing. As root it sees everything; else it shows what it may see, and says on stderr what not.

Exit status: 0 somebody is there; 1 nobody is.

Examples:
  sudo portbind who 8080
  sudo portbind who /run/app.sock")]
pub struct Args {
    /// A port, the path of a socket (with a slash in it), or @NAME of an abstract socket.
    #[arg(value_name = "PORT|PATH")]
    target: Target,
    /// Only this protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO")]
    protocol: Option<PortProtocol>,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb: success if somebody is there.
///
/// # Errors
/// If the namespace cannot be looked into, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let answering = Answering::new(&args.common)?;
    let protocol = args.protocol.map(|PortProtocol(protocol)| protocol);
    let who = ports::who(&answering.inspector, &args.target.0, protocol)?;
    report_unseen(who.unseen);
    answering.answer(&Answer::Who(&who))?;
    Ok(if who.is_somebody() { ExitStatus::Success } else { ExitStatus::Negative })
}
