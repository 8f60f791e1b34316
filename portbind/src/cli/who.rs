//! `portbind who`: every socket on a port and every process behind it.

use super::helper::{Common, Helper};
use super::values::{PortProtocol, Target};
use crate::cli::error::{Error, ExitStatus};
use crate::diagnosis::answer::{Place, Who};
use crate::diagnosis::unix::Object;
use crate::host::port_sockets::{Protocols, Query};
use crate::output::answer::Answer;

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
    let helper = Helper::new(&args.common)?;
    let protocol = args.protocol.map(|PortProtocol(protocol)| protocol);
    let Target(place) = &args.target;
    let (found, sight) = match place {
        Place::Port(port) => {
            let protocols = protocol.map_or(Protocols::All, Protocols::One);
            (helper.find(&Query::port(*port, protocols))?, None)
        }
        Place::Name(name) => helper.find_name(name)?,
    };
    let who = Who {
        time: helper.now(),
        subject: helper.subject(place.clone(), protocol),
        holders: found.holders,
        object: sight.map(|sight| sight.object),
        unseen: found.unseen,
    };
    helper.tell_unseen(who.unseen);
    helper.answer(&Answer::Who(&who))?;
    let is_there = !who.holders.is_empty() || who.object == Some(Object::LiveSocket);
    Ok(if is_there { ExitStatus::Success } else { ExitStatus::Negative })
}
