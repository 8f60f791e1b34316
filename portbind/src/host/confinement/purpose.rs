//! What a process is for.

/// What a process is for, from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tells refusals, until it is stopped.
    Trace,
    /// The same, of a command: waits for it, passes signals on, looks for sockets that it left.
    Run {
        /// Its pid.
        command: u32,
    },
    /// Answers questions, see [`broker`](crate::host::broker).
    Broker,
}
