//! The output about a refusal is the same whether its caller still runs when portbind reads its data or not.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;

use super::setting::Setting;
use super::support::{ContestedPort, PATIENCE, exited};
use crate::actor::{Action, Answer, Family, Kind, Protocol, SocketName, Way};
use crate::runner::kernel_is_at_least;
use crate::tracer::Tracer;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Makes an actor be refused; returns its pid.
type Refused = fn(&mut ContestedPort, &str) -> anyhow::Result<u32>;

/// The state of the caller when portbind reads its data.
#[derive(Clone, Copy)]
enum End {
    /// It still runs.
    None,
    /// It has ended.
    Exit,
    /// It is a zombie: /proc no longer shows its root and current folder.
    Zombie,
}

/// The process that has held the port since before the trace.
const HOLDER: &str = "holder";

/// The kinds of refusals by name, each with two callers: one that continues, and one that ends. The last caller is the
/// holder itself.
const CASES: [(&str, Refused, [&str; 2]); 6] = [
    ("a port in another namespace", taken, ["lives", "ended"]),
    (
        "a second bind of tcp",
        |contested, actor| bound_twice(contested, actor, Protocol::Tcp),
        ["lives", "ended"],
    ),
    (
        "a second bind of udp",
        |contested, actor| bound_twice(contested, actor, Protocol::Udp),
        ["lives", "ended"],
    ),
    ("a privileged port", privileged, ["lives", "ended"]),
    ("the port of its own socket", own, [HOLDER; 2]),
    ("a relative path", path, ["lives", "ended"]),
];

/// Cause and remedies are the same whether the caller has ended or not.
pub(super) fn causes_are_the_same(setting: Setting<'_>) -> anyhow::Result<()> {
    for (name, refused, [living, ending]) in CASES {
        // Before 5.17, the kernel half does not compare the caller's descriptors with the holder.
        if living == HOLDER && !kernel_is_at_least("5.17")? {
            continue;
        }
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        for action in [Action::Close { socket: "old".to_owned() }, Action::NewNetns] {
            contested.actors.perform(HOLDER, &action)?;
        }
        contested.hold()?;
        let lives = said(setting, &mut contested, living, refused, End::None)?;
        if living != HOLDER {
            let zombie = said(setting, &mut contested, "zombie", refused, End::Zombie)?;
            ensure!(lives == zombie, "{name}: {lives:?} of a live process, {zombie:?} of a zombie");
        }
        let ended = said(setting, &mut contested, ending, refused, End::Exit)?;
        ensure!(lives == ended, "{name}: {lives:?} of one who lives, {ended:?} of one who has ended");
    }
    std::fs::remove_file(relative_path())?;
    own_file_is_not_stale(setting)
}

/// A file without a bound socket does not count as another process's stale file if the caller may have created it
/// itself.
fn own_file_is_not_stale(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let (code, fixes) = said(setting, &mut contested, "lives", path_twice, End::Exit)?;
    std::fs::remove_file(relative_path())?;
    ensure!(code == "path-exists" && fixes.is_empty(), "its own file is {code}, with the remedies {fixes:?}");
    Ok(())
}

/// Codes of cause and remedies of the last refusal of an actor, which has ended before portbind reads its data, or not.
fn said(
    setting: Setting<'_>,
    contested: &mut ContestedPort,
    actor: &str,
    refused: Refused,
    end: End,
) -> anyhow::Result<(String, Vec<String>)> {
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-e", "all"])?;
    tracer.pause()?;
    let pid = refused(contested, actor)?;
    match end {
        End::None => {}
        End::Exit => drop(contested.actors.perform(actor, &Action::Exit)?),
        End::Zombie => {
            let pid = Pid::from_raw(pid.cast_signed()).context("no pid")?;
            kill_process(pid, Signal::KILL)?;
            // The process has ended then, and stays in the process table.
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        }
    }
    tracer.signal(Signal::CONT)?;
    let of_actor = |line: &String| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.filter(|line| line["kind"] == "refusal" && line["process"]["pid"] == pid)
    };
    tracer.stdout.wait(PATIENCE, |lines| lines.iter().any(|line| of_actor(line).is_some()));
    let shown = tracer.stop(Signal::INT)?;
    exited(&shown, 0)?;
    let refusal = shown.stdout.iter().rev().find_map(of_actor).context("the refusal is not shown")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fixes = refusal["fixes"].as_array().context("no list")?.iter().map(|fix| text(&fix["code"]));
    Ok((text(&refusal["cause"]["code"]), fixes.collect()))
}

fn taken(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    contested.take(actor, contested.port)
}

fn bound_twice(contested: &mut ContestedPort, actor: &str, protocol: Protocol) -> anyhow::Result<u32> {
    let socket = "twice".to_owned();
    let bound = new_socket(&socket, protocol, Some(0));
    contested.actors.perform(actor, &bound)?;
    let bind = Action::Bind { socket, address: LOCALHOST, port: 0, scope: 0, by: Way::default() };
    let answer = contested.actors.perform(actor, &bind)?;
    ensure!(answer.error.as_deref() == Some("EINVAL"), "{:?}", answer.error);
    Ok(answer.pid)
}

fn own(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    let answer =
        contested.actors.perform(actor, &new_socket("again", Protocol::Tcp, Some(contested.port)))?;
    ensure!(answer.error.as_deref() == Some("EADDRINUSE"), "{:?}", answer.error);
    Ok(answer.pid)
}

/// A path to which another actor has bound a socket.
fn path(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    if actor == "lives" {
        let answer = bind_path(contested, HOLDER, "first")?;
        ensure!(answer.error.is_none(), "{:?}", answer.error);
    }
    refused_path(contested, actor)
}

/// A path to which the same actor has bound a socket.
fn path_twice(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    let answer = bind_path(contested, actor, "first")?;
    ensure!(answer.error.is_none(), "{:?}", answer.error);
    refused_path(contested, actor)
}

fn refused_path(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    let answer = bind_path(contested, actor, "second")?;
    ensure!(answer.error.as_deref() == Some("EADDRINUSE"), "{:?}", answer.error);
    Ok(answer.pid)
}

fn bind_path(contested: &mut ContestedPort, actor: &str, socket: &str) -> anyhow::Result<Answer> {
    let socket = socket.to_owned();
    contested.actors.perform(actor, &Action::Open { new: socket.clone(), kind: Kind::UnixStream })?;
    let name = SocketName::Absolute(relative_path());
    contested
        .actors
        .perform(actor, &Action::BindName { socket, name, folder: PathBuf::new(), by: Way::default() })
}

/// A path relative to the current folder, which all actors share.
fn relative_path() -> String {
    let up = "../".repeat(std::env::current_dir().map_or(0, |folder| folder.components().count()));
    let file = std::env::temp_dir().join(format!("portbind-gone-{}", std::process::id()));
    format!("{up}.{}", file.display())
}

fn privileged(contested: &mut ContestedPort, actor: &str) -> anyhow::Result<u32> {
    contested.actors.perform(actor, &Action::JoinNetns { of: HOLDER.to_owned(), pid: 0 })?;
    contested.actors.perform(actor, &Action::Setuid { uid: 65_534 })?;
    let answer = contested.actors.perform(actor, &new_socket("low", Protocol::Tcp, Some(81)))?;
    ensure!(answer.error.as_deref() == Some("EACCES"), "{:?}", answer.error);
    Ok(answer.pid)
}

fn new_socket(label: &str, protocol: Protocol, port: Option<u16>) -> Action {
    Action::Socket {
        new: label.to_owned(),
        family: Family::Inet,
        protocol,
        options: Vec::new(),
        address: Some(LOCALHOST),
        port,
        listen: false,
    }
}
