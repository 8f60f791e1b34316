//! Starts the helper processes that answer questions, while other work runs.

use std::sync::Arc;
use std::thread;

use super::broker::Broker;
use super::entrance::Entrance;
use super::reexec::reexec;
use super::work_tree::{self, WorkTrees};

/// The name of the hidden subcommand.
pub(crate) const VERB: &str = "__broker";

/// The helper processes.
#[derive(Clone, Debug)]
pub(crate) struct Helpers {
    /// Access to other network namespaces.
    pub(crate) entrance: Entrance,
    /// The branches of work trees.
    pub(crate) work_trees: WorkTrees,
}

/// Starts the helpers, while this process may still start programs, and runs `work` meanwhile. If no broker starts,
/// other network namespaces are not entered, and `say` gets the reason; if no reader of work trees starts, no branch is
/// known.
pub(crate) fn start_beside<T>(say: impl Fn(&str) + Sync, work: impl FnOnce() -> T) -> (Helpers, T) {
    thread::scope(|scope| {
        let starting = thread::Builder::new().spawn_scoped(scope, || start(&say));
        let done = work();
        let started = starting.ok().and_then(|thread| thread.join().ok());
        (started.unwrap_or_else(|| start(&say)), done)
    })
}

fn start(say: impl FnOnce(&str)) -> Helpers {
    let work_trees = WorkTrees::start(reexec(work_tree::VERB)).unwrap_or_default();
    let entrance = match Broker::start(reexec(VERB)) {
        Ok(broker) => Entrance::Broker(Arc::new(broker)),
        Err(error) => {
            say(&format!("other network namespaces are not looked into: cannot start the broker: {error}"));
            Entrance::Closed
        }
    };
    Helpers { entrance, work_trees }
}
