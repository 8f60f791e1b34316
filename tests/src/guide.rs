//! The transcripts of docs/ci.md (the flaky suite under `portbind run`, before and after the fix) and of the README.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use crate::checks::SOON;
use crate::flaky::{Run, Suite};
use crate::programs;
use crate::tracer::Tracer;
use crate::transcript::normal;

/// Number of runs of the suite, before and after the fix.
const RUNS: usize = 20;
/// The backend that works on every supported kernel.
const BACKEND: &str = "tracepoint";
/// The test whose failure is shown.
const SHOWN: &str = "tests/test_orders.py::test_checkout";

/// The same server twice, on a port that no other process uses in this network namespace. A server is ready when it
/// listens. Each command is a job of its own, as those of an interactive shell are: portbind stops no part of a script.
const SAME_TWICE: &str = "
set -m
ip link set lo up
python3 -m http.server 8000 >/dev/null 2>&1 &
\"$0\" wait 8000 --until listening >/dev/null
python3 -m http.server 8000 >/dev/null 2>&1
kill $!
wait";

/// The output of `trace` for the same program started twice; times and pids are the real ones.
///
/// # Errors
///
/// If `trace` cannot be run, or does not report the refusal.
pub fn same_program(portbind: &Path) -> anyhow::Result<String> {
    let portbind = std::path::absolute(portbind)?;
    let tracer = Tracer::trace(&portbind, BACKEND, &["--color", "never", "-P", "8000", "--comm", "python3"])?;
    let status = programs::UNSHARE
        .command()?
        .args(["--net", programs::BASH.path, "-c", SAME_TWICE])
        .arg(&portbind)
        .stdin(Stdio::null())
        .status()
        .context("unshare")?;
    ensure!(status.success() || status.code() == Some(143), "the servers ended with {status}");
    ensure!(
        tracer.stdout.wait(SOON, |lines| lines.iter().any(|line| line.contains("free again"))),
        "no release"
    );
    let reported = tracer.stop(Signal::INT)?.stdout;
    ensure!(reported.iter().any(|line| line.contains("[same-program]")), "another cause: {reported:#?}");
    Ok(reported.iter().map(|line| nearest(line) + "\n").collect())
}

/// The line with only the nearest ancestor: the process that started the test does not matter.
fn nearest(line: &str) -> String {
    let Some((start, above)) = line.split_once("   … → ") else { return line.to_owned() };
    let names: Vec<&str> = above.split(" → ").collect();
    format!("{start}   {}", names[names.len().saturating_sub(2)..].join(" → "))
}

/// All transcripts of docs/ci.md, by name.
///
/// # Errors
///
/// If a run is not explained, the shown test never failed, or the fix does not work.
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

/// The output of `grep -c`: failures in the log, by test.
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
