//! Port events: which process took a port, and what happened to the socket.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::caller::Caller;
use super::endpoint::Endpoint;
use super::header::Header;
use super::identity::{COMM_LEN, Identity};

/// What happened to a socket: the values of [`Change::what`].
pub mod change {
    /// The socket listens.
    pub const LISTENING: u32 = 1;
    /// The task closes a connection before its peer does, which leaves a TIME_WAIT socket behind (TCP_FIN_WAIT1,
    /// include/net/tcp_states.h).
    pub const LEAVING: u32 = 2;
    /// The socket releases its port. For a TCP socket, the task is only a bystander.
    pub const CLOSED: u32 = 3;
    /// The task connects; the port is not chosen yet.
    pub const CONNECTING: u32 = 4;
    /// The socket is connected. The task is only a bystander.
    pub const CONNECTED: u32 = 5;
}

record! {
/// Description of a process, sent before the records that refer to it. A process can be introduced more than once.
pub struct Introduction = 1632 {
    /// Kind [`INTRODUCTION`](super::kind::INTRODUCTION).
    pub header: Header,
    /// The task.
    pub identity: Identity,
    /// The task's process.
    pub caller: Caller,
}
}

record! {
/// A socket was bound.
pub struct Bound = 144 {
    /// Kind [`BOUND`](super::kind::BOUND).
    pub header: Header,
    /// The process that bound the socket.
    pub identity: Identity,
    /// The socket, with the address and port that it received.
    pub endpoint: Endpoint,
    /// Requested port; 0 means any.
    pub asked_port: u16,
    /// Zero.
    pub reserved: u16,
    /// One of [`operation`](super::operation).
    pub operation: u32,
}
}

record! {
/// Something happened to a socket.
pub struct Change = 120 {
    /// Kind [`CHANGE`](super::kind::CHANGE).
    pub header: Header,
    /// The socket.
    pub endpoint: Endpoint,
    /// When the task's process started, in nanoseconds since boot.
    pub start_time: u64,
    /// Name of the thread, NUL-padded.
    pub comm: [u8; COMM_LEN],
    /// One of [`change`].
    pub what: u32,
    /// Zero.
    pub reserved: u32,
}
}

/// Maximum number of processes whose introduction is remembered.
pub const MAX_INTRODUCED: u32 = 4096;
