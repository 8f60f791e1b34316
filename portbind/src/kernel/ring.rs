//! The ring buffer as something the runtime can wait for.

#![expect(unsafe_code, reason = "the one promise that the runtime cannot check by itself")]

use std::io;

use aya::maps::{MapData, RingBuf};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a ring buffer with the runtime.
///
/// # Errors
/// If the runtime cannot poll it.
pub fn watch(records: RingBuf<MapData>) -> io::Result<AsyncFd<RingBuf<MapData>>> {
    // SAFETY: the ring buffer owns its map, whose descriptor stays open, and is never another one,
    // until the value is dropped, which `AsyncFd` does after taking it out of the poll.
    unsafe { AsyncFd::register_with_interest(records, Interest::READABLE) }.map_err(io::Error::from)
}
