//! The table of wordings, a file for each group of sources.

mod frameworks;
mod runtimes;
mod servers;
mod system;

use super::wording::Wording;

/// All rows, in the order in which they are tried: a line is of the first wording that matches it.
pub fn all() -> impl Iterator<Item = &'static Wording> {
    // Servers and frameworks before the runtimes they are made with; the catch-all last.
    [servers::ROWS, frameworks::ROWS, runtimes::ROWS, system::ROWS].into_iter().flatten()
}
