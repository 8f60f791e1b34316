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
    /// How many times as long as usual the checks that count go on.
    pub times: u32,
    /// All scenarios.
    pub scenarios: &'a [Scenario],
    /// Programs that setup does not install are used, too, where they are.
    pub others: bool,
    /// What is left out of a check, and why.
    pub skipped: &'a Skipped,
}
