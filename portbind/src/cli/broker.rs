//! A hidden verb: answers questions about network namespaces, paths and socket files, see [`crate::host::broker`].

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::thread;

use nix::sys::signal::{SigSet, Signal};

use crate::cli::error::{Error, ExitStatus};
use crate::cli::stderr;
use crate::host::Entrance;
use crate::host::broker::{Broker, check_peer, serve};
use crate::host::confinement::{Purpose, confine};
use crate::host::priority;
use crate::host::reexec::reexec;

/// The name of the verb.
pub(super) const VERB: &str = "__broker";

/// Signals that end portbind in its own time: until then the broker is needed.
const IGNORED: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Runs the verb: until the other end of standard input is closed.
///
/// # Errors
/// If it may not give up its rights, or the connection breaks.
pub fn run() -> Result<ExitStatus, Error> {
    let system = |doing| move |source: io::Error| Error::System { doing, source };
    check_peer(io::stdin().as_fd()).map_err(system("cannot answer"))?;
    let ignored: SigSet = IGNORED.into_iter().collect();
    ignored.thread_block().map_err(|source| system("cannot block signals")(source.into()))?;
    priority::raise();
    let confinement = confine(Purpose::Broker).map_err(system("cannot give up privileges"))?;
    if let Some(reason) = confinement.unfiltered {
        stderr::say(format_args!("system calls of the broker are not filtered: {reason}"));
    }
    serve(io::stdin().as_fd()).map_err(system("cannot answer"))?;
    Ok(ExitStatus::Success)
}

/// Starts a broker, while this process may still start programs, and does some work beside it. Where there is no broker,
/// other network namespaces are not looked into, and `say` gets the reason.
pub(super) fn start_beside<T>(say: impl Fn(&str) + Sync, work: impl FnOnce() -> T) -> (Entrance, T) {
    thread::scope(|scope| {
        let starting = thread::Builder::new().spawn_scoped(scope, || start(&say));
        let done = work();
        let started = starting.ok().and_then(|thread| thread.join().ok());
        (started.unwrap_or_else(|| start(&say)), done)
    })
}

fn start(say: impl FnOnce(&str)) -> Entrance {
    match Broker::start(reexec(VERB)) {
        Ok(broker) => Entrance::Broker(Arc::new(broker)),
        Err(error) => {
            say(&format!("other network namespaces are not looked into: cannot start the broker: {error}"));
            Entrance::Closed
        }
    }
}
