//! Starts the broker while other work runs.

use std::sync::Arc;
use std::thread;

use super::broker::Broker;
use super::entrance::Entrance;
use super::reexec::reexec;

/// The name of the hidden subcommand.
pub(crate) const VERB: &str = "__broker";

/// Starts a broker, while this process may still start programs, and runs `work` meanwhile. If no broker starts, other
/// network namespaces are not entered, and `say` gets the reason.
pub(crate) fn start_beside<T>(say: impl Fn(&str) + Sync, work: impl FnOnce() -> T) -> (Entrance, T) {
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
