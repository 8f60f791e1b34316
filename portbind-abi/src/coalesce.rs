//! Coalesced refusals: equal ones, because the same process repeats the same call, or more than the ring buffer has
//! room for.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;
use super::identity::COMM_LEN;

record! {
/// The values that equal refusals share; key of the map `COUNTS`.
pub struct RefusalKey = 32 {
    /// Requested address.
    pub address: Address,
    /// Thread group id.
    pub pid: u64,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Requested port.
    pub port: u16,
    /// IPPROTO_*.
    pub protocol: u16,
}
}

record! {
/// The first of the counted refusals. It may never have been sent.
pub struct Sample = 48 {
    /// Requested address.
    pub address: Address,
    /// Name of the thread, NUL-padded, in memory order.
    pub comm: [u64; COMM_LEN / size_of::<u64>()],
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Real user id of the process, in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// Requested port.
    pub port: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Zero.
    pub reserved: u16,
}
}

record! {
/// Count of equal refusals; value of the map `COUNTS`. User space removes entries that have been idle for a while.
pub struct Count = 88 {
    /// When the current window began, in jiffies.
    pub since: u64,
    /// Refusals sent in this window.
    pub sent: u64,
    /// Refusals that were only counted, in all windows.
    pub more: u64,
    /// When the first refusal of the current series was counted, in nanoseconds since boot; 0 if none was. A pause as
    /// long as a window ends a series.
    pub first: u64,
    /// When the last refusal was counted, in nanoseconds since boot; 0 if none was.
    pub last: u64,
    /// The first refusal in the current window.
    pub sample: Sample,
}
}

record! {
/// Per-process quota in the current window; value of the map `QUOTAS`, keyed by thread group id. User space removes
/// entries that have been idle for a while.
pub struct Quota = 104 {
    /// When the window began, in jiffies.
    pub since: u64,
    /// When the window began, in nanoseconds since boot.
    pub time: u64,
    /// Refusals of the process that were examined in this window.
    pub looked: u64,
    /// Refusals that were sent in this window although the party had used its part.
    pub sent: u64,
    /// Refusals, in all windows, that were counted for the process and not by kind: unexamined, or without a kind.
    pub more: u64,
    /// When the first unexamined or kindless refusal of the current series was counted, in jiffies; 0 if none was. A
    /// pause as long as a window ends a series.
    pub first: u64,
    /// When the last such refusal was counted, in jiffies; 0 if none was.
    pub last: u64,
    /// The first refusal that was examined in the window.
    pub sample: Sample,
}
}

/// Length of a window, in nanoseconds: at most [`Filter::burst`](super::Filter::burst) equal refusals are sent in each.
pub const WINDOW: u64 = 1_000_000_000;
/// Maximum number of kinds of refusals in the map `COUNTS`.
pub const MAX_COUNTS: u32 = 8192;
/// Maximum number of processes in the map `QUOTAS`.
pub const MAX_QUOTAS: u32 = 4096;
