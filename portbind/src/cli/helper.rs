//! Hidden verbs of helper processes that answer questions: the broker ([`crate::host::broker`]) and the reader of work
//! trees ([`crate::host::work_tree`]).

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};

use crate::cli::error::{Error, ExitStatus};
use crate::cli::stderr;
use crate::host::confinement::{Purpose, confine};
use crate::host::helper::check_peer;
use crate::host::{Failed, broker, priority, work_tree};

/// Signals that end the tracing portbind, which needs its helpers until it has finished.
const IGNORED: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Answers questions about namespaces, paths and socket files.
///
/// # Errors
/// If the broker cannot give up its rights, or the connection breaks.
pub fn broker() -> Result<ExitStatus, Error> {
    run(Purpose::Broker, broker::serve)
}

/// Reads the branches of work trees.
///
/// # Errors
/// If the helper cannot give up its rights, or the connection breaks.
pub fn work_tree() -> Result<ExitStatus, Error> {
    run(Purpose::WorkTree, work_tree::serve)
}

/// Answers until the other end of standard input is closed.
fn run(purpose: Purpose, serve: fn(BorrowedFd<'_>) -> io::Result<()>) -> Result<ExitStatus, Error> {
    check_peer(io::stdin().as_fd()).map_err(Failed::at("cannot answer"))?;
    let ignored: SigSet = IGNORED.into_iter().collect();
    ignored.thread_block().map_err(Failed::at("cannot block signals"))?;
    priority::raise();
    let confinement = confine(purpose).map_err(Failed::at("cannot give up privileges"))?;
    if let Some(reason) = confinement.unfiltered {
        stderr::say(format_args!("system calls of a helper process are not filtered: {reason}"));
    }
    serve(io::stdin().as_fd()).map_err(Failed::at("cannot answer"))?;
    Ok(ExitStatus::Success)
}
