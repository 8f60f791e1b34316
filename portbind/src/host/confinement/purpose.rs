//! The purpose of a process.

/// The purpose of a process from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reports refused binds until it is stopped.
    Trace,
    /// Reports the refused binds of a command: waits for the command, passes signals on, and finds sockets that the
    /// command left.
    Run {
        /// The pid of the command.
        command: u32,
    },
    /// Answers questions, see [`broker`](crate::host::broker).
    Broker,
    /// Reads branches, see [`work_tree`](crate::host::work_tree).
    WorkTree,
}
