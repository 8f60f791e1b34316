//! Refusals in great number: alike, because the same process asks for the same again, or more than there is room for.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;
use super::identity::COMM_LEN;

record! {
/// What refusals have to have in common; a key of the map `COUNTS`.
pub struct RefusalKey = 32 {
    /// The address that was asked for.
    pub address: Address,
    /// Thread group id.
    pub pid: u64,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The port that was asked for.
    pub port: u16,
    /// IPPROTO_*.
    pub protocol: u16,
}
}

record! {
/// The first refusal of those that are counted: none of them need have been sent.
pub struct Sample = 48 {
    /// The address that was asked for.
    pub address: Address,
    /// Name of the thread, NUL-padded, as it lies in memory.
    pub comm: [u64; COMM_LEN / size_of::<u64>()],
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Real user id of the process, in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// The port that was asked for.
    pub port: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Zero.
    pub reserved: u16,
}
}

record! {
/// How often they came; a value of that map. User space takes out what was not touched for a while.
pub struct Count = 88 {
    /// When the window of time began in which they are sent, in jiffies.
    pub since: u64,
    /// How many were sent in it.
    pub sent: u64,
    /// How many were counted only, in all windows.
    pub more: u64,
    /// When the first was counted of those that came without a pause as long as a window, in nanoseconds since boot; 0 if
    /// none was.
    pub first: u64,
    /// When the last was counted, in nanoseconds since boot; 0 if none was.
    pub last: u64,
    /// The first of them.
    pub sample: Sample,
}
}

record! {
/// What one process had of a window of time; a value of the map `QUOTAS`, by thread group id. User space takes out what
/// was not touched for a while.
pub struct Quota = 104 {
    /// When the window began, in jiffies.
    pub since: u64,
    /// The same moment, in nanoseconds since boot.
    pub time: u64,
    /// How many of its refusals were looked at in it.
    pub looked: u64,
    /// How many of these were sent although its party had its part.
    pub sent: u64,
    /// How many of its refusals were counted, and not by kind: without a look, or because they have none, in all windows.
    pub more: u64,
    /// When the first of these was counted, of those that came without a pause as long as a window, in jiffies; 0 if none
    /// was.
    pub first: u64,
    /// When the last of these was counted, in jiffies; 0 if none was.
    pub last: u64,
    /// The first that was looked at.
    pub sample: Sample,
}
}

/// How long a window is, in nanoseconds: in each, only so many ([`Filter::burst`](super::Filter::burst)) are sent.
pub const WINDOW: u64 = 1_000_000_000;
/// Kinds of refusals that are counted at once.
pub const MAX_COUNTS: u32 = 8192;
/// Processes whose shares are remembered.
pub const MAX_QUOTAS: u32 = 4096;
