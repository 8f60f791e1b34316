//! A trace proves at its start that its hooks see refusals, and does not disturb other traces.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::storm::await_shown;
use super::support::{ContestedPort, exited, says};
use crate::actor::Protocol;
use crate::programs;
use crate::tracer::Tracer;

/// Marks a refusal in JSON.
const REFUSAL: &str = r#""kind":"refusal""#;

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

/// A trace does not show the proof of another trace.
pub(super) fn seen_by_others(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let watching = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let other = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    exited(&other.stop(Signal::INT)?, 0)?;
    let pid = contested.refuse("binder", 1)?;
    await_shown(&watching, pid, 1);
    let ended = watching.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    account.check()?;
    ensure!(account.refused <= 1, "the proof is in the account: {account:?}");
    let shown = ended.stdout.iter().filter(|line| line.contains(REFUSAL)).count();
    ensure!(shown == 1 || ended.passed_over() > 0, "{shown} refusals are shown: {:?}", ended.stdout);
    Ok(())
}

/// A trace shows the binds that `portbind check` tries, and names portbind.
pub(super) fn portbind_is_shown_as_the_caller_of_its_trials(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let port = contested.port.to_string();
    // portbind names a process that still runs: strace delays the end of the check by two seconds.
    let mut check = programs::STRACE.command()?;
    let delay = "inject=exit_group:delay_enter=2000000";
    check.args(["-qq", "-o", "/dev/null", "-e", "trace=exit_group", "-e", delay]);
    let check = check.arg(setting.portbind).args(["check", &port]).stdout(Stdio::null()).status();
    ensure!(check.context("strace cannot be started")?.code() == Some(1), "the port is not taken");
    let pid = contested.refuse("binder", 1)?;
    await_shown(&tracer, pid, 1);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let refusals = ended.stdout.iter().filter(|line| line.contains(REFUSAL));
    let (trials, others): (Vec<_>, Vec<_>) =
        refusals.partition(|line| line.contains("portbind itself tried"));
    let is_binders = |line: &&String| line.contains(&format!(r#""pid":{pid}"#));
    ensure!(!trials.is_empty(), "no trial is shown: {:?}", ended.stdout);
    ensure!(!others.is_empty() && others.iter().all(is_binders), "others are shown: {others:?}");
    ensure!(!trials.iter().any(is_binders), "the binder is taken for portbind: {trials:?}");
    Ok(())
}
