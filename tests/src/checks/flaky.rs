//! The flaky test suite of docs/ci.md: every failure is explained, and the guide's fix ends the failures.

use anyhow::{Context as _, bail, ensure};

use super::setting::Setting;
use crate::flaky::{Clash, Run, Suite};

/// Number of runs of the suite, before and after the fix.
const RUNS: usize = 20;
/// The test that takes the ports of the other tests.
const THIEF: &str = "tests/test_load.py::test_burst";

/// The name of that test in the output of `compare`.
const THIEF_PROGRAM: &str = "python test_load.py";

/// About every second run fails, so the probability that all twenty succeed is one in a million.
pub(super) fn is_explained_and_cured(setting: Setting<'_>) -> anyhow::Result<()> {
    let Setting { portbind, backend, .. } = setting;
    let mut suite = Suite::new()?;
    let (before, runs) = suite.run_series(portbind, backend, RUNS)?;
    let clashes: Vec<Clash> =
        runs.iter().map(Run::clashes).collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect();
    ensure!(!clashes.is_empty(), "none of {RUNS} runs failed");
    for clash in &clashes {
        let cause = match clash.refused.as_str() {
            "tests/test_orders.py::test_checkout" => "stolen-free-port",
            _ => "outgoing",
        };
        ensure!(clash.holder == THIEF && clash.cause == cause, "another clash was expected: {clash:?}");
    }
    suite.fix()?;
    let (after, runs) = suite.run_series(portbind, backend, RUNS).context("after the fix")?;
    if let Some((number, run)) = (1..).zip(&runs).find(|(_, run)| !run.is_green) {
        bail!("run {number} after the fix failed:\n{}{}", run.stdout, run.stderr);
    }
    let shown = suite.compare(portbind, before, after)?;
    ensure!(
        is_pattern(&shown, clashes.len()),
        "{} refusals, all of {THIEF_PROGRAM}:\n{shown}",
        clashes.len()
    );
    Ok(())
}

/// Whether `compare` reports that all of these refusals are gone, and that one program caused most of them.
fn is_pattern(shown: &str, refusals: usize) -> bool {
    let counts = [format!("before  {refusals} refusal"), format!("after   0 refusals in {RUNS} runs")];
    let mut changes = shown.lines().filter(|line| line.contains("held by"));
    let behind = shown.lines().last().is_some_and(|line| {
        line.starts_with("before ")
            && line.contains(&format!("of {refusals} refusal"))
            && line.contains(THIEF_PROGRAM)
    });
    counts.iter().all(|count| shown.contains(count))
        && changes.all(|line| line.starts_with("gone ") && line.contains(THIEF_PROGRAM))
        && behind
}
