//! A trace proves at its start that its hooks see refusals, and does not disturb other traces.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, PATIENCE, exited, says};
use crate::actor::Protocol;
use crate::programs;
use crate::tracer::Tracer;

/// If the trace's own bind does not reach the kernel, its hooks see nothing, and the trace does not start.
pub(super) fn of_a_blind_backend(setting: Setting<'_>) -> anyhow::Result<()> {
    // strace makes each second bind fail without a refusal by the kernel.
    let mut command = programs::STRACE.command()?;
    command
        .args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=bind",
            "-e",
            "inject=bind:error=EADDRINUSE:when=2+2",
        ])
        .arg(setting.portbind)
        .args(["trace", "--backend", setting.backend, "--timeout", "20"])
        .stdin(Stdio::null());
    let ended = Tracer::spawn(&mut command)?.end()?;
    exited(&ended, 4)?;
    says(&ended, "do not see that a bind of portbind's own is refused")
}

/// Other traces do not show the proof; the trial bind of `portbind check` is shown, with its process.
pub(super) fn seen_by_others(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let watching = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let other = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    exited(&other.stop(Signal::INT)?, 0)?;
    let pid = contested.refuse("binder", 1)?;
    let port = contested.port.to_string();
    let check = Command::new(setting.portbind).args(["check", &port]).stdout(Stdio::null()).status();
    ensure!(check.context("portbind check cannot be started")?.code() == Some(1), "the port is not taken");
    let is_trial = |line: &&String| line.contains("portbind itself tried this bind");
    watching.stdout.wait(PATIENCE, |lines| lines.iter().any(|line| is_trial(&line)));
    let ended = watching.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    let refusals: Vec<&String> =
        ended.stdout.iter().filter(|line| line.contains(r#""kind":"refusal""#)).collect();
    ensure!(!refusals.iter().any(|line| line.contains("127.112.98.1")), "the proof is shown: {refusals:?}");
    let (trials, others): (Vec<_>, Vec<_>) = refusals.into_iter().partition(is_trial);
    let is_passed_over = ended.passed_over() > 0;
    ensure!(!trials.is_empty() || is_passed_over, "no trial is shown: {:?}", ended.stdout);
    let is_binders = |line: &&String| line.contains(&format!(r#""pid":{pid}"#));
    ensure!(others.iter().all(is_binders), "others are shown: {others:?}");
    ensure!(trials.iter().all(|line| !is_binders(line)), "the binder is taken for portbind: {trials:?}");
    Ok(())
}
