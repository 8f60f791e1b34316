//! The transcripts of docs/ci.md: the flaky suite, wrapped, before the fix and after it.

use std::path::Path;

use anyhow::ensure;

use crate::flaky::{Run, Suite};
use crate::transcript::normal;

/// How often the suite runs, before the fix and after it.
const RUNS: usize = 20;
/// The backend that works wherever portbind does.
const BACKEND: &str = "tracepoint";
/// The test whose failure is shown.
const SHOWN: &str = "tests/test_orders.py::test_checkout";

/// All of them, by name.
///
/// # Errors
///
/// If a run is not explained, the test that is shown never failed, or the fix is none.
pub fn transcripts(portbind: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut suite = Suite::new()?;
    let (before, runs_before) = suite.run_series(portbind, BACKEND, RUNS)?;
    let is_shown = |run: &&Run| run.failed().into_iter().eq([SHOWN]);
    let Some(shown) = runs_before.iter().find(is_shown) else {
        anyhow::bail!("in none of {RUNS} runs only {SHOWN} failed: try again")
    };
    suite.fix()?;
    let (after, runs_after) = suite.run_series(portbind, BACKEND, RUNS)?;
    ensure!(runs_after.iter().all(|run| run.is_green), "runs failed after the fix");
    Ok(vec![
        ("failure", shown.stdout.clone()),
        ("explained", normal::whole(&shown.stderr.lines().collect::<Vec<_>>())),
        ("before", tally(&runs_before)),
        ("after", tally(&runs_after)),
        ("compared", suite.compare(portbind, before, after)?),
    ])
}

/// What `grep -c` finds: failures in the log, by test.
fn tally(runs: &[Run]) -> String {
    let green = runs.iter().filter(|run| run.is_green).count();
    let mut text = format!("{green} of {} runs were green\n", runs.len());
    for test in [SHOWN, "tests/test_metrics.py::test_scrape"] {
        let failed = runs.iter().filter(|run| run.failed().contains(test)).count();
        if failed > 0 {
            text.push_str(&format!("{failed} times failed: {test}\n"));
        }
    }
    text
}
