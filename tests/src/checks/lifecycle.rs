//! How a trace starts and ends.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::storm::await_shown;
use super::support::{ContestedPort, SOON, events, exited};
use crate::actor::Protocol;
use crate::scratch::Scratch;
use crate::sys::bpf::program_ids;
use crate::tracer::Tracer;

/// Programs are unloaded shortly after their owner has ended: the kernel waits for running instances.
const SETTLE: Duration = Duration::from_secs(30);

/// `kill -9` leaves no program loaded.
pub(super) fn kill_leaves_nothing(setting: Setting<'_>) -> anyhow::Result<()> {
    let before = program_ids()?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let during = program_ids()?;
    let ours: Vec<u32> = during.into_iter().filter(|id| !before.contains(id)).collect();
    ensure!(!ours.is_empty(), "no program was loaded");
    tracer.stop(Signal::KILL)?;
    await_unloaded(&ours, &before)
}

/// Waits until the kernel has unloaded these programs, except the ones that were loaded before.
pub(super) fn await_unloaded(loaded: &[u32], before: &[u32]) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let now = program_ids()?;
        let left: Vec<u32> =
            loaded.iter().copied().filter(|id| now.contains(id) && !before.contains(id)).collect();
        if left.is_empty() {
            return Ok(());
        }
        if started.elapsed() > SETTLE {
            bail!("programs {left:?} are still loaded");
        }
        // The kernel does not announce the unloading, so this is a bounded poll.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two simultaneous traces each report the same refusal once.
pub(super) fn two_at_once(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Udp)?;
    let one = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let two = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = contested.refuse("binder", 1)?;
    for tracer in [&one, &two] {
        // The end of a run waits at most a second, and two runs share an emulated processor.
        await_shown(tracer, pid, 1);
    }
    for tracer in [one, two] {
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        ended.account()?.check()?;
        let shown = events(&ended.stdout, pid)?.len();
        ensure!(
            shown == 1 || ended.passed_over() > 0,
            "one refusal, shown {shown} times:\n{}",
            ended.stdout.join("\n")
        );
    }
    Ok(())
}

/// SIGTERM works like Ctrl-C.
pub(super) fn sigterm(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = contested.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::TERM)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    ensure!(
        events(&ended.stdout, pid)?.len() == 1,
        "the refusal was not shown:\n{}",
        ended.stdout.join("\n")
    );
    Ok(())
}

/// `--count` ends the trace after this many events.
pub(super) fn count(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let port = contested.port.to_string();
    let tracer =
        Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-P", &port, "--count", "2"])?;
    contested.refuse("first", 1)?;
    contested.refuse("second", 1)?;
    let ended = tracer.end()?;
    exited(&ended, 0)?;
    ended.account()?;
    let (events, summary) = (2, 1);
    ensure!(ended.stdout.len() == events + summary, "two were asked for, got:\n{}", ended.stdout.join("\n"));
    Ok(())
}

/// `--timeout` ends the trace after this many seconds.
pub(super) fn timeout(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "--timeout", "1"])?;
    let armed = Instant::now();
    let ended = tracer.end()?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    let took = armed.elapsed();
    ensure!(took > Duration::from_millis(500) && took < SOON, "one second took {took:?}");
    Ok(())
}

/// If the reader closes the pipe, the trace ends quietly.
pub(super) fn closed_pipe(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let port = contested.port.to_string();
    let (reader, pipe) = std::io::pipe()?;
    drop(reader);
    let mut command = Command::new(setting.portbind);
    command.args(["trace", "-o", "json", "-P", &port, "--backend", setting.backend]);
    let tracer = Tracer::spawn_into(&mut command, Stdio::from(pipe))?;
    tracer.armed()?;
    contested.refuse("binder", 1)?;
    let ended = tracer.end()?;
    exited(&ended, 0)?;
    let noise = ended.stderr.iter().find(|line| {
        let line = line.to_lowercase();
        line.contains("pipe") || line.contains("panic") || line.contains("error")
    });
    ensure!(noise.is_none(), "it did not end quietly: {noise:?}");
    Ok(())
}

/// `--output` creates a file that only its owner can access, and appends to an existing file.
pub(super) fn output_file(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let path = Scratch::new("output.jsonl");
    let name = path.path().to_str().context("the folder for temporary files has an odd name")?.to_owned();
    for round in 1..=2 {
        let options = ["-o", "json", "--output", &name];
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        let pid = contested.refuse(&format!("binder {round}"), 1)?;
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        ensure!(ended.stdout.is_empty(), "events on standard output, too:\n{}", ended.stdout.join("\n"));
        let text = std::fs::read_to_string(path.path())?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        ensure!(events(&lines, pid)?.len() == 1, "round {round} is not in the file:\n{text}");
        let first = contested.actors.pid("binder 1").context("no first binder")?;
        ensure!(events(&lines, first)?.len() == 1, "the first round is gone:\n{text}");
        let mode = std::fs::metadata(path.path())?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "the file has mode {mode:o}");
    }
    Ok(())
}
