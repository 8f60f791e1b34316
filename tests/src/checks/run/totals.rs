//! The numbers of refusals in the reports of a run.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::wrapped::{Recording, test_program};
use crate::checks::setting::Setting;
use crate::checks::support::exited;
use crate::scratch::Scratch;
use crate::tracer::{Ended, Tracer};

/// Refusals of a burst: more than are shown.
const REFUSALS: u64 = 20_000;

/// After a burst, the report, the page and the report of the recording have the same total, and the groups of the
/// report add up to it.
pub(in crate::checks) fn totals(setting: Setting<'_>) -> anyhow::Result<()> {
    let recording = Recording::new("burst");
    let page = Scratch::new("burst.html");
    let mut command = Command::new(std::fs::canonicalize(setting.portbind)?);
    command.args(["run", "--backend", setting.backend, "--ci", "none", &recording.option()]);
    command.arg(format!("--report={}", page.path().display())).arg("--").arg(test_program()?);
    command.args(["storm", "own", &REFUSALS.to_string()]).stdin(Stdio::null());
    let ended = Tracer::spawn(&mut command)?.end()?;
    exited(&ended, 0)?;
    let total = total(&ended)?;
    let summaries = recording.lines("summary")?;
    // A kernel that was interrupted cannot report what it missed then.
    let missed = summaries[0]["passed_over"].as_u64().context("no account")?;
    ensure!(total <= REFUSALS && total + missed >= REFUSALS, "{total} of {REFUSALS}: {:?}", ended.stderr);
    let parts = parts(&ended.stderr);
    ensure!(parts == total, "{total} refusals, but the parts are {parts}: {:?}", ended.stderr);
    let html = std::fs::read_to_string(page.path())?;
    ensure!(html.contains(&format!("<title>portbind: {total} refusals</title>")), "the page:\n{html:.400}");
    let said = report(setting, recording.path())?;
    ensure!(said.starts_with(&format!("{total} refusals ")), "the report:\n{said:.400}");
    Ok(())
}

/// The number of refusals in the first line of the report.
pub(super) fn total(ended: &Ended) -> anyhow::Result<u64> {
    let line = ended.stderr.iter().find_map(|line| line.split_once(" refusals"));
    let (start, _) = line.with_context(|| format!("no total: {:?}", ended.stderr))?;
    Ok(start.rsplit(' ').next().context("no number")?.parse()?)
}

/// The sum of the groups, and of the refusals that are in none.
fn parts(stderr: &[String]) -> u64 {
    let count = |line: &String| match line.split_once("] × ") {
        Some((_, count)) => count.parse::<u64>().ok(),
        None => line.split_once(" more refusal").and_then(|(count, _)| count.parse().ok()),
    };
    stderr.iter().filter_map(count).sum()
}

fn report(setting: Setting<'_>, recording: &Path) -> anyhow::Result<String> {
    let output =
        Command::new(setting.portbind).args(["report", "--color", "never"]).arg(recording).output()?;
    Ok(String::from_utf8(output.stdout)?)
}
