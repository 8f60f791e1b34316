//! What is to be freed.

use crate::cli::answering::Common;
use crate::cli::values::{PortProtocol, Seconds, Target};

/// What is to be freed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stopped are the processes that listen on the port, are bound to it, or have a connection open that was accepted there:
SIGTERM first, SIGKILL after --grace. Not stopped are clients, which only talk to the port or have it as their own
local port, and processes that were handed the socket, or such a connection, by the process tree that bound it. Nothing
is stopped at all if that would take process 1, this program or one above it, a socket of the kernel, or a service that
systemd starts again, or if several process trees have the socket and it cannot be decided which of them bound it: then
it says what to do instead.
A socket file is removed only if no socket is bound to it.

Exit status: 0 the port, or the path, is free; 1 it is not; 2 there is nobody to say yes; 3 a privilege is missing.

Examples:
  sudo portbind free 8080
  sudo portbind free 8080 --yes --grace 10
  portbind free /run/app.sock")]
pub struct Args {
    /// A port, or the path of a socket file (with a slash in it).
    #[arg(value_name = "PORT|PATH")]
    pub(super) target: Target,
    /// The protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO", default_value = "tcp")]
    pub(super) protocol: PortProtocol,
    /// Do not ask.
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Only show what would be done.
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,
    /// How long processes have between SIGTERM and SIGKILL: 5, 0.5, 1m.
    #[arg(long, value_name = "SECS", default_value = "5")]
    pub(super) grace: Seconds,
    /// The port counts as free when a bind with SO_REUSEADDR succeeds: connections in TIME_WAIT are then no matter.
    #[arg(long)]
    pub(super) reuse_address: bool,
    #[command(flatten)]
    pub(super) common: Common,
}
