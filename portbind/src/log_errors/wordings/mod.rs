//! The table of wordings, one file per group of sources.

mod frameworks;
mod runtimes;
mod servers;
mod system;

use super::wording::Wording;

/// All rows, in the order in which they are tried: the first wording that matches a line applies.
pub fn all() -> impl Iterator<Item = &'static Wording> {
    // Servers and frameworks come before the runtimes they are built on; the catch-all comes last.
    [servers::ROWS, frameworks::ROWS, runtimes::ROWS, system::ROWS].into_iter().flatten()
}
