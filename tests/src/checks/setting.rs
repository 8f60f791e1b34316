//! Where and how a check runs.

use std::path::Path;

use crate::programs::Skipped;
use crate::scenario::Scenario;

/// Where and how a check runs.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The portbind under test.
    pub portbind: &'a Path,
    /// The backend.
    pub backend: &'a str,
    /// How many times as long as usual the counting checks run.
    pub times: u32,
    /// All scenarios.
    pub scenarios: &'a [Scenario],
    /// Also use programs that setup does not install, if they exist.
    pub others: bool,
    /// Skipped parts of a check, and the reasons.
    pub skipped: &'a Skipped,
}
