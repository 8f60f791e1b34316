//! The descendants of the command, and their findings.

use std::process::Stdio;

use anyhow::{Context as _, ensure};

use super::wrapped::{Recording, wrapped};
use crate::actor::Protocol;
use crate::checks::setting::Setting;
use crate::checks::support::{ContestedPort, SOON, exited, says};
use crate::scratch::Scratch;
use crate::tracer::Tracer;

/// A daemon that has left its parents still counts as a descendant of the command.
pub(in crate::checks) fn daemons(setting: Setting<'_>) -> anyhow::Result<()> {
    let contested = ContestedPort::new(Protocol::Tcp)?;
    let recording = Recording::new("daemon");
    let subject = ["daemon".to_owned(), contested.port.to_string()];
    let page = Scratch::new("daemon.html");
    let report = format!("--report={}", page.path().display());
    let ended = Tracer::spawn(&mut wrapped(setting, &[&recording.option(), &report], subject)?)?.end()?;
    exited(&ended, 0)?;
    let pid: u64 = ended.stdout.first().context("the daemon says nothing")?.parse()?;
    let refusals = recording.lines("refusal")?;
    ensure!(refusals.len() == 1 && refusals[0]["process"]["pid"] == pid, "of {pid}: {refusals:#?}");
    let page = std::fs::read_to_string(page.path())?;
    ensure!(page.starts_with("<!DOCTYPE html>") && page.contains("swallowed"), "the page:\n{page:.300}");
    says(&ended, "swallowed: it went on and ended with status 0")
}

/// The command's exit status is passed on, unless `--fail-on` is given; a refusal that led to a failure is not
/// swallowed.
pub(in crate::checks) fn swallowed(setting: Setting<'_>) -> anyhow::Result<()> {
    let contested = ContestedPort::new(Protocol::Tcp)?;
    for (options, status, expected, swallowed) in [
        (&[][..], 0, 0, true),
        (&["--fail-on", "leak"], 0, 0, true),
        (&["--fail-on", "refusal"], 0, 1, true),
        (&["--fail-on", "leak,refusal"], 4, 4, false),
    ] {
        let recording = Recording::new("swallowed");
        let record = recording.option();
        let options: Vec<&str> = options.iter().copied().chain([record.as_str()]).collect();
        let subject = ["refused".to_owned(), contested.port.to_string(), status.to_string()];
        let ended = Tracer::spawn(&mut wrapped(setting, &options, subject)?)?.end()?;
        exited(&ended, expected)?;
        let outcomes = recording.lines("outcome")?;
        ensure!(
            outcomes.len() == 1
                && outcomes[0]["swallowed"] == swallowed
                && outcomes[0]["exit_status"] == status,
            "{options:?}: {outcomes:#?}"
        );
        let kinds: Vec<usize> = ["command", "refusal", "end", "summary"]
            .map(|kind| recording.lines(kind).map_or(0, |lines| lines.len()))
            .into();
        ensure!(kinds == [1, 1, 1, 1], "lines of each kind: {kinds:?}");
    }
    Ok(())
}

/// Refusals of other processes meanwhile are not shown.
pub(in crate::checks) fn bystanders(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let recording = Recording::new("bystander");
    let mut command = wrapped(setting, &[&recording.option()], ["signals"])?;
    let run = Tracer::spawn(&mut command)?;
    let ready = |lines: &[String]| lines.iter().any(|line| line == "ready");
    ensure!(run.stdout.wait(SOON, ready), "it is not ready");
    contested.refuse("stranger", 3)?;
    let ended = run.stop(rustix::process::Signal::USR1)?;
    says(&ended, "no bind was refused")?;
    let refusals = recording.lines("refusal")?;
    ensure!(refusals.is_empty(), "{refusals:#?}");
    Ok(())
}

/// A server that outlives the command is reported with its owner and its opener.
pub(in crate::checks) fn leaks(setting: Setting<'_>) -> anyhow::Result<()> {
    let port = crate::ports::Ports::new().take()?;
    let recording = Recording::new("leak");
    let options = [&recording.option(), "--fail-on=leak"];
    let subject = ["leave".to_owned(), port.to_string()];
    let mut command = wrapped(setting, &options, subject)?;
    // The server ends when this pipe is closed.
    let (input, keep) = std::io::pipe()?;
    let run = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    drop(command);
    let output = run.wait_with_output()?;
    ensure!(output.status.code() == Some(1), "{}", output.status);
    let server: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let leaks = recording.lines("leak")?;
    let [leak] = &leaks[..] else { anyhow::bail!("{leaks:#?}") };
    let socket = &leak["socket"];
    ensure!(
        socket["port"] == port && socket["state"] == "listen" && socket["processes"][0]["pid"] == server,
        "{leak:#}"
    );
    ensure!(socket["opened_by"]["pid"] == server, "{leak:#}");
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(shown.contains("still bound:") && shown.contains(&format!("({server})")), "{shown}");
    drop(keep);
    Ok(())
}
