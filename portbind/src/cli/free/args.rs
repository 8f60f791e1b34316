//! Arguments of `portbind free`.

use crate::cli::answering::Common;
use crate::cli::values::{PortProtocol, Seconds, Target};

/// What to free, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stops the processes that listen on the port, are bound to it, or have an accepted connection open: SIGTERM first
(SIGINT for PostgreSQL and uWSGI), SIGKILL after --grace. Processes that descend from another one of them, as workers
from their master, are signalled only if they outlive it. Does not kill postgres, mysqld, mariadbd, mongod,
redis-server and etcd: they may have data to write. Does not stop clients, which only connect to the port or use it as
their own local port, nor processes that received the socket, or an accepted connection, from the process tree that
bound it.
Stops no process at all, and prints what to do instead, if the port is held by process 1, by portbind or a process
above it, by the kernel, or by a service that systemd would restart, or if several process trees have the socket open
and portbind cannot determine which of them bound it.
Removes a socket file only if no socket is bound to it.

Exit status: 0 the port or path is free; 1 it is not; 2 confirmation is impossible; 3 a privilege is missing.

Examples:
  sudo portbind free 8080
  sudo portbind free 8080 --yes --grace 10
  portbind free /run/app.sock")]
pub struct Args {
    /// The port, or the path of a socket file (with a slash in it).
    #[arg(value_name = "PORT|PATH")]
    pub(super) target: Target,
    /// The protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO", default_value = "tcp")]
    pub(super) protocol: PortProtocol,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Only show what would be done.
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,
    /// Time between the first signal and SIGKILL: 5, 0.5, 1m.
    #[arg(long, value_name = "SECS", default_value = "5")]
    pub(super) grace: Seconds,
    /// Treat the port as free when a bind with SO_REUSEADDR succeeds, which ignores connections in TIME_WAIT.
    #[arg(long)]
    pub(super) reuse_address: bool,
    #[command(flatten)]
    pub(super) common: Common,
}
