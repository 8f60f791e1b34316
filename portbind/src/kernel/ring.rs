//! The ring buffer as something the runtime can wait for.

#![expect(unsafe_code, reason = "the one promise that the runtime cannot check by itself")]

use std::io;

use std::os::fd::AsRawFd;

use aya::maps::{MapData, RingBuf};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::debug::DebugLines;

/// Registers a ring buffer with the runtime.
///
/// # Errors
/// If the runtime cannot poll it.
pub fn watch(records: RingBuf<MapData>) -> io::Result<AsyncFd<RingBuf<MapData>>> {
    register(records)
}

/// Registers the ring buffer of debug lines with the runtime.
///
/// # Errors
/// If the runtime cannot poll it.
pub fn watch_lines(lines: DebugLines) -> io::Result<AsyncFd<DebugLines>> {
    register(lines)
}

fn register<T: AsRawFd>(ring: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: both kinds of ring own their map, whose descriptor stays open, and is never another one,
    // until the value is dropped, which `AsyncFd` does after taking it out of the poll.
    unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) }.map_err(io::Error::from)
}
