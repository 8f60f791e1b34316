//! Which kernel runs.

use crate::diagnosis::rule::Generation;

/// The running kernel's version, as the bind rule takes it; a release that does not read like one is taken for
/// the newest.
#[must_use]
pub fn generation() -> Generation {
    let system = rustix::system::uname();
    Generation::of_release(&system.release().to_string_lossy()).unwrap_or(Generation::NEWEST)
}
