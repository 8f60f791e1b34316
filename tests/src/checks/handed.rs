//! `portbind free` if several processes have the socket open: the process that bound it ends; a process that received
//! it does not.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::ask::{ask, done, list, listener, people};
use super::free::{connect, outcome, runs};
use super::setting::Setting;
use super::support::SOON;
use crate::actor::Action;
use crate::actors::Actors;
use crate::ports::Ports;
use crate::programs;
use crate::sys::cgroup::Cgroup;

/// Users without other files here.
const USER: u32 = 61_213;
const OTHER_USER: u32 = 61_214;

/// Makes an actor send its socket to another one.
fn hand(actors: &mut Actors, from: &str, to: &str) -> anyhow::Result<()> {
    hand_socket(actors, "old", from, to)
}

fn hand_socket(actors: &mut Actors, socket: &str, from: &str, to: &str) -> anyhow::Result<()> {
    let give = Action::Give { socket: socket.to_owned(), to: to.to_owned(), mailbox: String::new() };
    done(actors, from, &give)?;
    done(actors, to, &Action::Take { new: "copy".to_owned() })?;
    Ok(())
}

/// Pids and reasons of the processes that are not stopped.
fn obstacles(shown: &Value) -> Vec<(u64, &str)> {
    let one = |one: &Value| one["process"]["pid"].as_u64().unwrap_or(0);
    list(shown, "obstacles").iter().map(|it| (one(it), it["reason"].as_str().unwrap_or(""))).collect()
}

fn pid(actors: &Actors, name: &str) -> anyhow::Result<u32> {
    actors.pid(name).with_context(|| format!("no {name}"))
}

/// A user's process sends its socket to processes of root, of another user, and of an agent above it: these survive,
/// whether the user's process still runs or not.
pub(super) fn to_others(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "user", &Action::Setuid { uid: USER })?;
    done(&mut actors, "other", &Action::Setuid { uid: OTHER_USER })?;
    done(&mut actors, "user", &listener("old", port))?;
    for to in ["daemon", "other"] {
        hand(&mut actors, "user", to)?;
    }
    let user = pid(&actors, "user")?;
    let innocent = [pid(&actors, "daemon")?, pid(&actors, "other")?];
    let shown = ask(setting, &["free", &port.to_string(), "--dry-run"], 0)?;
    ensure!(list(&shown, "targets").len() == 1 && shown["targets"][0]["pid"] == user, "{shown}");
    let shown = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
    ensure!(outcome(&shown, user) == Some("ended") && !runs(user)?, "{shown}");
    for _ in 0..2 {
        let shown = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
        let left = obstacles(&shown);
        ensure!(left.len() == 2 && list(&shown, "stopped").is_empty(), "{shown}");
        ensure!(!shown.to_string().contains("kill "), "innocents are offered to be stopped: {shown}");
        for pid in innocent {
            ensure!(left.contains(&(u64::from(pid), "handed")) && runs(pid)?, "{pid}: {shown}");
        }
    }
    Ok(())
}

/// Two processes of the same user in the same cgroup, neither an ancestor of the other: none is stopped, even if one of
/// them has the socket only in a thread with a separate descriptor table.
pub(super) fn undecided(setting: Setting<'_>) -> anyhow::Result<()> {
    for is_apart in [false, true] {
        let (mut actors, mut ports) = (Actors::default(), Ports::new());
        let port = ports.take()?;
        done(&mut actors, "one", &listener("old", port))?;
        hand(&mut actors, "one", "two")?;
        if is_apart {
            done(&mut actors, "one", &Action::KeepApart)?;
            done(&mut actors, "one", &Action::Close { socket: "old".to_owned() })?;
        }
        stops_neither(setting, port, &actors, ["one", "two"])?;
    }
    Ok(())
}

/// It cannot be determined which of two processes bound the port, and both survive.
fn stops_neither(
    setting: Setting<'_>,
    port: u16,
    actors: &Actors,
    names: [&str; 2],
) -> anyhow::Result<Value> {
    let shown = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
    let left = obstacles(&shown);
    ensure!(shown["stage"] == "forbidden" && list(&shown, "stopped").is_empty(), "{shown}");
    for name in names {
        let pid = pid(actors, name)?;
        ensure!(left.contains(&(u64::from(pid), "undecided")) && runs(pid)?, "{name}: {shown}");
    }
    Ok(shown)
}

/// Two processes with the same parent and the same descriptor number for the socket: none is stopped.
pub(super) fn siblings(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    // One mailbox each, so that the numbers agree.
    done(&mut actors, "one", &Action::Mailbox)?;
    done(&mut actors, "one", &listener("old", port))?;
    hand(&mut actors, "one", "two")?;
    let shown = stops_neither(setting, port, &actors, ["one", "two"])?;
    let holder = list(&shown, "holders").first().context("no holder")?;
    let numbers: Vec<Vec<u64>> = people(holder).into_iter().map(|(_, fds)| fds).collect();
    ensure!(numbers.len() == 2 && numbers[0] == numbers[1], "nothing was tried: {shown}");
    Ok(())
}

/// The process that bound the port is moved to another cgroup, and may change its user: a process that received the
/// socket survives.
pub(super) fn moved(setting: Setting<'_>) -> anyhow::Result<()> {
    let group = |name: &str| Cgroup::new(&format!("portbind-tests-{}-{name}", std::process::id()));
    let (service, manager) = (group("service")?, group("manager")?);
    let mut ports = Ports::new();
    for (receiver, binder) in [(None, None), (None, Some(USER)), (Some(OTHER_USER), Some(USER))] {
        let mut actors = Actors::default();
        let port = ports.take()?;
        for (name, uid) in [("binder", None), ("receiver", receiver)] {
            done(&mut actors, name, &Action::Rename { name: name.to_owned() })?;
            service.enter(pid(&actors, name)?)?;
            become_user(&mut actors, name, uid)?;
        }
        done(&mut actors, "binder", &listener("old", port))?;
        hand(&mut actors, "binder", "receiver")?;
        manager.enter(pid(&actors, "binder")?)?;
        become_user(&mut actors, "binder", binder)?;
        stops_neither(setting, port, &actors, ["binder", "receiver"])?;
    }
    Ok(())
}

fn become_user(actors: &mut Actors, name: &str, uid: Option<u32>) -> anyhow::Result<()> {
    if let Some(uid) = uid {
        done(actors, name, &Action::Setuid { uid })?;
    }
    Ok(())
}

/// A connection is sent to another process tree, and may be inherited by a child: only the listener's tree ends.
pub(super) fn connections(setting: Setting<'_>) -> anyhow::Result<()> {
    for (uid, has_child) in [(None, false), (Some(OTHER_USER), false), (Some(OTHER_USER), true)] {
        let (mut actors, mut ports) = (Actors::default(), Ports::new());
        let port = ports.take()?;
        done(&mut actors, "server", &listener("old", port))?;
        connect(&mut actors, port)?;
        done(&mut actors, "other", &Action::Rename { name: "other".to_owned() })?;
        become_user(&mut actors, "other", uid)?;
        hand_socket(&mut actors, "near", "server", "other")?;
        let child = "worker".to_owned();
        let inherit = Action::Inherit { socket: "near".to_owned(), child, close_on_exec: false };
        if has_child {
            done(&mut actors, "server", &inherit)?;
        }
        done(&mut actors, "server", &Action::Close { socket: "near".to_owned() })?;
        let shown = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
        let family: &[&str] = if has_child { &["server", "worker"] } else { &["server"] };
        for name in family {
            let pid = pid(&actors, name)?;
            ensure!(outcome(&shown, pid) == Some("ended") && !runs(pid)?, "{name}: {shown}");
        }
        let other = pid(&actors, "other")?;
        ensure!(obstacles(&shown) == [(u64::from(other), "handed")] && runs(other)?, "{shown}");
    }
    Ok(())
}

/// A server that bound as root and dropped its rights, with its child; and children whose parent has ended.
pub(super) fn sole_trees(setting: Setting<'_>) -> anyhow::Result<()> {
    let inherit =
        || Action::Inherit { socket: "old".to_owned(), child: "worker".to_owned(), close_on_exec: false };
    for is_orphaned in [false, true] {
        let (mut actors, mut ports) = (Actors::default(), Ports::new());
        let port = ports.take()?;
        let server = done(&mut actors, "server", &listener("old", port))?.pid;
        let mut doomed =
            vec![done(&mut actors, "server", &inherit())?.pid, done(&mut actors, "server", &inherit())?.pid];
        if is_orphaned {
            actors.perform("server", &Action::Exit)?;
        } else {
            done(&mut actors, "server", &Action::Setuid { uid: USER })?;
            doomed.push(server);
        }
        let shown = ask(setting, &["free", &port.to_string(), "--yes"], 0)?;
        for pid in doomed {
            ensure!(outcome(&shown, pid) == Some("ended") && !runs(pid)?, "{is_orphaned}: {pid}: {shown}");
        }
    }
    Ok(())
}

/// dnsmasq binds as root and then switches to another user.
pub(super) fn real_daemon(setting: Setting<'_>) -> anyhow::Result<()> {
    let port = Ports::new().take()?;
    let mut daemon = programs::DNSMASQ
        .command()?
        .args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts"])
        .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--user=nobody"])
        .arg(format!("--port={port}"))
        .stderr(Stdio::null())
        .spawn()
        .context("dnsmasq cannot be started")?;
    let status = format!("/proc/{}/status", daemon.id());
    let begun = Instant::now();
    let has_dropped = || std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("\nUid:\t0"));
    while !has_dropped() {
        ensure!(begun.elapsed() < SOON, "dnsmasq did not drop its rights");
        std::thread::sleep(Duration::from_millis(5));
    }
    for protocol in ["tcp", "udp"] {
        let shown = ask(setting, &["free", &port.to_string(), "--proto", protocol, "--yes"], 0)?;
        let expected = (protocol == "tcp").then_some("ended");
        ensure!(outcome(&shown, daemon.id()) == expected, "{shown}");
    }
    daemon.wait()?;
    Ok(())
}
