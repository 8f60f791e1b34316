//! The flaky suite of docs/ci.md: every failure is explained, and the fix of the guide ends them.

use anyhow::{Context as _, ensure};

use super::Setting;
use crate::flaky::Suite;

/// How often the suite runs, before the fix and after it.
const RUNS: usize = 20;
/// The test that takes the ports of the others.
const THIEF: &str = "tests/test_load.py::test_burst";

/// About every second run fails: that none of twenty does is a matter of one in a million.
pub(super) fn is_explained_and_cured(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut suite = Suite::new()?;
    let mut clashes = Vec::new();
    for number in 1..=RUNS {
        let run = suite.run(setting.portbind, setting.backend, &["--ci", "none"])?;
        run.is_explained().with_context(|| format!("run {number}"))?;
        clashes.extend(run.clashes()?);
    }
    ensure!(!clashes.is_empty(), "none of {RUNS} runs failed");
    for clash in &clashes {
        let cause = match clash.refused.as_str() {
            "tests/test_orders.py::test_checkout" => "stolen-free-port",
            _ => "outgoing",
        };
        ensure!(clash.holder == THIEF && clash.cause == cause, "another clash was expected: {clash:?}");
    }
    suite.fix()?;
    for number in 1..=RUNS {
        let run = suite.run(setting.portbind, setting.backend, &["--ci", "none"])?;
        ensure!(run.is_green, "run {number} after the fix failed:\n{}{}", run.stdout, run.stderr);
        run.is_explained().with_context(|| format!("run {number} after the fix"))?;
    }
    Ok(())
}
