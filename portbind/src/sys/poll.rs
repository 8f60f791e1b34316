//! Descriptors as something the runtime can wait for.

#![expect(unsafe_code, reason = "the one promise that the runtime cannot check by itself")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use aya_log::EbpfLogger;
use log::Log;
use nix::sys::signalfd::SignalFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::ring::Ring;

/// What can be waited for: each kind owns a descriptor that stays open, and is never another one, until the
/// value is dropped.
pub trait Source: AsRawFd + Owns {}

impl<T: AsRawFd + Owns> Source for T {}

mod sealed {
    /// Owns the descriptor it names.
    pub trait Owns {}
}
use sealed::Owns;

impl Owns for Ring {}
impl<T: Log> Owns for EbpfLogger<T> {}
impl Owns for OwnedFd {}
impl Owns for SignalFd {}

/// Registers a descriptor with the runtime, to be read from.
///
/// # Errors
/// If the runtime cannot poll it.
pub fn watch<T: Source>(source: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the kinds of `Source` own their descriptor until they are dropped, which `AsyncFd` does after
    // taking it out of the poll.
    unsafe { AsyncFd::register_with_interest(source, Interest::READABLE) }.map_err(io::Error::from)
}
