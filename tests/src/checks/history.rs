//! The flight recorder: holders that have ended are reported, and its memory is bounded.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, ENOUGH, PATIENCE, events, exited};
use crate::actor::{Action, Protocol};
use crate::event::Event;
use crate::tracer::{Lines, Tracer};

/// Helpers per run.
const TRANSIENTS: u32 = 100;
/// Ports that are bound and closed in one run, many times the default limit of the history.
const PORTS: u32 = 50_000;
/// Maximum private memory of portbind.
const MEMORY_KB: u64 = 20 * 1024;

/// A helper that ends right after the refusal is reported, with executable and arguments.
pub(super) fn transient_holders(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let pid = contested.rename("binder", "binder")?;
    let options = ["-o", "json", "-p", &pid.to_string()];
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    let count = TRANSIENTS * setting.times;
    let answer = contested.actors.perform("binder", &Action::Transients { count })?;
    let all = usize::try_from(count)?;
    tracer
        .stdout
        .wait(PATIENCE, |lines| lines.iter().filter(|line| line.contains("\"refusal\"")).count() >= all);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    let shown = events(&ended.stdout, pid)?;
    let missing = u64::try_from(all - shown.len())?;
    ensure!(missing <= ended.passed_over(), "{missing} of {count} refusals were not shown");
    let is_named = |event: &&Event| answer.transients.iter().any(|helper| names(event, *helper));
    let wrong: Vec<&str> =
        shown.iter().filter(|event| !is_named(event)).map(|event| event.line.as_str()).collect();
    let first = wrong.first().unwrap_or(&"");
    ensure!(
        wrong.is_empty(),
        "{} of {count} helpers are not named:\n{first}\n{}",
        wrong.len(),
        ended.stderr.join("\n")
    );
    Ok(())
}

/// Whether the event contains the helper with this pid on this port.
fn names(event: &Event, (pid, port): (u32, u16)) -> bool {
    let Some(opener) = event.holders.first().and_then(|holder| holder.opened_by.as_ref()) else {
        return false;
    };
    let is_shown = opener.exe.is_some() && opener.args.last().is_some_and(|last| last == "hold");
    event.socket.port == Some(port) && opener.pid == pid && is_shown
}

/// Thousands of ports are bound and closed; memory does not grow with them, and evictions are reported.
pub(super) fn memory(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    contested.actors.perform("churner", &Action::Churn { count: PORTS * setting.times })?;
    // A refusal comes after everything else in the ring buffer: once it is reported, everything has been read.
    let last = contested.refuse("last", ENOUGH)?;
    moments(&tracer.stdout, last);
    let used = private_kb(tracer.pid())?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ensure!(!events(&ended.stdout, last)?.is_empty(), "the refusal after the churn was not shown");
    ensure!(used < MEMORY_KB, "{used} kB of memory, of {MEMORY_KB}");
    let summary = ended.stdout.last().context("no summary")?;
    let summary: serde_json::Value = serde_json::from_str(summary)?;
    let gone = |name: &str| summary.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    ensure!(
        gone("history_evicted") + gone("history_lost") > 0,
        "nothing is shown to be forgotten: {summary}"
    );
    Ok(())
}

/// When the holder releases the port, this is reported, with the time it took.
pub(super) fn release(setting: Setting<'_>) -> anyhow::Result<()> {
    let chosen = ContestedPort::new(Protocol::Tcp)?;
    released(setting, chosen)?;
    // A port that the kernel chose is released on another code path.
    let mut any = ContestedPort::new(Protocol::Tcp)?;
    any.hold_any()?;
    released(setting, any)?;
    // If the kernel half does not report the release, portbind polls the port.
    released(setting, ContestedPort::new(Protocol::Udp)?)
}

/// The end of a connection that holds a port is detected.
pub(super) fn release_of_connection(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.connect("client")?;
    contested.actors.perform("holder", &Action::Close { socket: "old".to_owned() })?;
    let pid = contested.rename("binder", "binder")?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-p", &pid.to_string()])?;
    contested.take("binder", contested.port)?;
    moments(&tracer.stdout, pid);
    let is_release = |line: &String| line.contains("\"kind\":\"release\"");
    ensure!(!tracer.stdout.so_far().iter().any(is_release), "free while it is connected");
    // The client closes first, so that the port has no TIME_WAIT.
    contested.actors.perform("client", &Action::Close { socket: "far".to_owned() })?;
    contested.actors.perform("holder", &Action::Drain { socket: "near".to_owned() })?;
    contested.actors.perform("holder", &Action::Close { socket: "near".to_owned() })?;
    ensure!(tracer.stdout.wait(PATIENCE, |lines| lines.iter().any(is_release)), "no release");
    exited(&tracer.stop(Signal::INT)?, 0)
}

fn released(setting: Setting<'_>, mut contested: ContestedPort) -> anyhow::Result<()> {
    let pid = contested.rename("binder", "binder")?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-p", &pid.to_string()])?;
    contested.refuse("binder", ENOUGH)?;
    moments(&tracer.stdout, pid);
    contested.actors.perform("holder", &Action::Close { socket: "old".to_owned() })?;
    let is_release = |line: &String| line.contains("\"kind\":\"release\"");
    tracer.stdout.wait(PATIENCE, |lines| lines.iter().any(is_release));
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let text = ended.stdout.join("\n");
    let line =
        ended.stdout.iter().find(|line| is_release(line)).with_context(|| format!("no release:\n{text}"))?;
    let release: serde_json::Value = serde_json::from_str(line)?;
    ensure!(
        release["process"]["pid"] == pid && release["socket"]["port"] == contested.port,
        "of another: {line}"
    );
    let after = release["after_ms"].as_f64().context("no time")?;
    ensure!(after > 0.0 && after < 60_000.0, "{after} ms is no time");
    let refusal: serde_json::Value = serde_json::from_str(ended.stdout.first().context("no refusal")?)?;
    ensure!(release["refused"] == refusal["time"], "of another refusal:\n{text}");
    Ok(())
}

/// The history contains a server that listened before tracing began, even if it has ended and only its TIME_WAIT is
/// left.
pub(super) fn before_tracing(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let holder = contested.actors.pid("holder").context("no holder")?;
    let port = contested.port.to_string();
    let options = ["-o", "json", "-P", &port];
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    // The processes with open sockets are described one by one, while refusals are shown.
    let begun = Instant::now();
    while !has_listener(&tracer.stdout.so_far(), holder)? {
        ensure!(begun.elapsed() < PATIENCE, "not shown:\n{}", tracer.stdout.so_far().join("\n"));
        let before = tracer.stdout.count();
        contested.refuse("binder", 1)?;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| lines.len() > before), "nothing is shown");
    }
    contested.leave_by_server("client")?;
    let before = tracer.stdout.count();
    contested.refuse("late", ENOUGH)?;
    tracer.stdout.wait(PATIENCE, |lines| lines.len() > before);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let shown = ended.stdout.get(before..).unwrap_or_default();
    ensure!(shown.iter().any(|line| line.contains("\"time_wait\"")), "no TIME_WAIT:\n{}", shown.join("\n"));
    ensure!(has_listener(shown, holder)?, "not shown of who has ended:\n{}", shown.join("\n"));
    Ok(())
}

/// Whether the history of the last refusal shows that this process was listening when tracing began.
pub(super) fn has_listener(lines: &[String], pid: u32) -> anyhow::Result<bool> {
    let refusal = lines.iter().rev().find(|line| line.contains("\"kind\":\"refusal\""));
    let Some(refusal) = refusal else { return Ok(false) };
    let refusal: serde_json::Value = serde_json::from_str(refusal)?;
    let moments = refusal["history"].as_array().context("no history")?;
    let is_it = |moment: &serde_json::Value| {
        moment["time"].is_null() && moment["what"] == "listening" && moment["process"]["pid"] == pid
    };
    Ok(moments.iter().any(is_it))
}

/// With `--track-connects`, the process that left a TIME_WAIT on a port picked by connect(2) is reported; without it,
/// not.
pub(super) fn track_connects(setting: Setting<'_>) -> anyhow::Result<()> {
    for option in [Some("--track-connects"), None] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        let options: Vec<&str> = ["-o", "json"].into_iter().chain(option).collect();
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        let (port, client) = contested.leave_time_wait("client")?;
        contested.take("binder", port)?;
        let binder = contested.take("binder", port)?;
        moments(&tracer.stdout, binder);
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        let events = events(&ended.stdout, binder)?;
        let holder = events.first().and_then(|event| event.holders.first()).context("no holder is shown")?;
        let left_by = holder.left_by.as_ref().map(|process| process.pid);
        ensure!(left_by == option.map(|_| client), "{option:?}: left by {left_by:?}, not {client}");
        let connected = ended.stdout.iter().any(|line| line.contains("\"what\":\"connected\""));
        ensure!(connected == option.is_some(), "{option:?}: connected: {connected}");
    }
    Ok(())
}

/// Waits until a refusal of this process is reported.
fn moments(lines: &Lines, pid: u32) {
    lines.wait(PATIENCE, |lines| events(lines, pid).is_ok_and(|events| !events.is_empty()));
}

/// Peak memory of a process that is not backed by files.
pub(super) fn private_kb(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
