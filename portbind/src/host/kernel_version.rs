//! The version of the running kernel.

use crate::diagnosis::rule::Generation;

/// The running kernel's version, for the bind rule; a release that cannot be parsed counts as the newest.
#[must_use]
pub fn generation() -> Generation {
    let system = rustix::system::uname();
    Generation::of_release(&system.release().to_string_lossy()).unwrap_or(Generation::NEWEST)
}
