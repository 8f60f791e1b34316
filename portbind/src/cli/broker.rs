//! A hidden verb that answers questions about network namespaces, paths and socket files; see [`crate::host::broker`].

use std::io;
use std::os::fd::AsFd as _;

use nix::sys::signal::{SigSet, Signal};

use crate::cli::error::{Error, ExitStatus};
use crate::cli::stderr;
use crate::host::broker::{check_peer, serve};
use crate::host::confinement::{Purpose, confine};
use crate::host::{Failed, priority};

/// Signals that end the tracing portbind, which needs the broker until it has finished.
const IGNORED: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Runs the verb until the other end of standard input is closed.
///
/// # Errors
/// If the broker cannot give up its rights, or the connection breaks.
pub fn run() -> Result<ExitStatus, Error> {
    check_peer(io::stdin().as_fd()).map_err(Failed::at("cannot answer"))?;
    let ignored: SigSet = IGNORED.into_iter().collect();
    ignored.thread_block().map_err(Failed::at("cannot block signals"))?;
    priority::raise();
    let confinement = confine(Purpose::Broker).map_err(Failed::at("cannot give up privileges"))?;
    if let Some(reason) = confinement.unfiltered {
        stderr::say(format_args!("system calls of the broker are not filtered: {reason}"));
    }
    serve(io::stdin().as_fd()).map_err(Failed::at("cannot answer"))?;
    Ok(ExitStatus::Success)
}
