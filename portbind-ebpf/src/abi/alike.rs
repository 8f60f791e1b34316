//! Refusals in great number: alike, because the same process asks for the same again, or more than can be looked at.

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::Address;

record! {
/// What refusals have to have in common; a key of the map `ALIKE`.
pub struct Alike = 32 {
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
/// How often they came; a value of that map.
pub struct Often = 24 {
    /// When the window of time began in which they are told, in jiffies.
    pub since: u64,
    /// How many were told in it.
    pub told: u64,
    /// How many were counted only, in all windows.
    pub more: u64,
}
}

record! {
/// What one process had of a window of time; a value of the map `SHARES`, by thread group id.
pub struct Share = 32 {
    /// When the window began, in jiffies.
    pub since: u64,
    /// How many of its refusals were looked at in it.
    pub looked: u64,
    /// How many of these were told.
    pub told: u64,
    /// How many of its refusals were counted without a look, in all windows, where those that are alike are counted
    /// ([`Filter::burst`](super::Filter::burst)); elsewhere they are lost.
    pub more: u64,
}
}

/// How long a window is, in nanoseconds: in each, only so many ([`Filter::burst`](super::Filter::burst)) are told.
pub const WINDOW: u64 = 1_000_000_000;
/// Kinds of refusals that are remembered.
pub const MAX_ALIKE: u32 = 4096;
/// Processes whose shares are remembered.
pub const MAX_SHARES: u32 = 1024;
