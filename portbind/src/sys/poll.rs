//! Descriptors that the async runtime can wait for.

#![expect(unsafe_code, reason = "the runtime cannot check that a descriptor stays open")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use aya_log::EbpfLogger;
use log::Log;
use nix::sys::signalfd::SignalFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::ring::Ring;

/// A value that the runtime can wait for: it owns a descriptor, which stays open and unchanged until the value is
/// dropped.
pub trait Source: AsRawFd + Owns {}

impl<T: AsRawFd + Owns> Source for T {}

mod sealed {
    /// Owns its descriptor.
    pub trait Owns {}
}
use sealed::Owns;

impl Owns for Ring {}
impl<T: Log> Owns for EbpfLogger<T> {}
impl Owns for OwnedFd {}
impl Owns for SignalFd {}

/// Registers a descriptor with the runtime, for reading.
///
/// # Errors
/// If the runtime cannot poll the descriptor.
pub fn watch<T: Source>(source: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: every `Source` owns its descriptor until it is dropped, which `AsyncFd` does after removing the
    // descriptor from the poll.
    unsafe { AsyncFd::register_with_interest(source, Interest::READABLE) }.map_err(io::Error::from)
}
