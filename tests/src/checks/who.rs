//! `portbind who`: every socket and process, in every namespace, with and without privileges.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::ask::{LOCALHOST, answer, ask, bind_name, done, list, listener, of, people, socket};
use super::commands::as_nobody;
use super::setting::Setting;
use super::support::{ContestedPort, says};
use crate::actor::{Action, Kind, Protocol, SocketName};
use crate::actors::Actors;
use crate::ports::Ports;
use crate::programs;
use crate::runner::kernel_is_at_least;
use crate::tracer::Tracer;

/// A listener shared with forked processes, one of its connections, and UDP and TCP sockets that are only bound.
pub(super) fn family(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "server", &listener("old", port))?;
    done(&mut actors, "server", &Action::Dup { socket: "old".to_owned(), new: "copy".to_owned() })?;
    for child in ["one", "two"] {
        let child = child.to_owned();
        done(
            &mut actors,
            "server",
            &Action::Inherit { socket: "old".to_owned(), child, close_on_exec: false },
        )?;
    }
    done(&mut actors, "server", &Action::Crowd { socket: "old".to_owned(), count: 1 })?;
    done(&mut actors, "other", &socket("udp", Protocol::Udp, &[], (LOCALHOST, port), false))?;
    let shown = ask(setting, &["who", &port.to_string()], 0)?;
    let holders = list(&shown, "holders");
    let states: Vec<&str> = holders.iter().filter_map(|holder| holder["state"].as_str()).collect();
    ensure!(states == ["listen", "bound", "established"], "not listeners first: {shown}");
    let inode = actors.inode("old").context("no inode")?;
    let expected: Vec<(u64, Vec<u64>)> = actors
        .owners(inode)
        .into_iter()
        .map(|(pid, fds)| (pid.into(), fds.into_iter().map(u64::from).collect()))
        .collect();
    ensure!(expected.len() == 3, "the family is {expected:?}");
    ensure!(people(&holders[0]) == expected, "expected {expected:?}: {shown}");
    ensure!(holders[0]["processes"][0]["started"].is_string(), "no start: {shown}");
    ensure!(holders[0]["backlog"]["waiting"] == 0, "{shown}");
    let tcp_only = ask(setting, &["who", &port.to_string(), "--proto", "tcp"], 0)?;
    ensure!(list(&tcp_only, "holders").len() == 2, "more than TCP: {tcp_only}");
    bound_only(setting, &mut actors, ports.take()?)
}

/// So many processes that another way to scan them is faster: every one of them is reported.
pub(super) fn crowd(setting: Setting<'_>) -> anyhow::Result<()> {
    const CROWD: usize = 520;
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "server", &listener("old", port))?;
    for number in 0..CROWD {
        let (socket, child) = ("old".to_owned(), format!("child-{number}"));
        done(&mut actors, "server", &Action::Inherit { socket, child, close_on_exec: false })?;
    }
    let shown = ask(setting, &["who", &port.to_string()], 0)?;
    let owners = actors.owners(actors.inode("old").context("no inode")?);
    let expected: Vec<(u64, Vec<u64>)> =
        owners.into_iter().map(|(pid, fds)| (pid.into(), fds.into_iter().map(u64::from).collect())).collect();
    ensure!(expected.len() == CROWD + 1, "{} processes have it", expected.len());
    let found = people(&list(&shown, "holders")[0]);
    ensure!(found == expected, "{} of {} are shown", found.len(), expected.len());
    Ok(())
}

/// A socket that is only bound: on old kernels only its descriptor reveals it.
fn bound_only(setting: Setting<'_>, actors: &mut Actors, port: u16) -> anyhow::Result<()> {
    let pid = done(actors, "binder", &socket("bound", Protocol::Tcp, &[], (LOCALHOST, port), false))?.pid;
    let shown = ask(setting, &["who", &port.to_string()], 0)?;
    let holder = list(&shown, "holders").first().context("no holder")?;
    ensure!(holder["state"] == "bound" && holder["processes"][0]["pid"] == pid, "{shown}");
    Ok(())
}

/// A port of another namespace is not reported for this one; there, a TIME_WAIT is reported with its remaining time.
pub(super) fn elsewhere(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let (left, _) = contested.leave_time_wait("client")?;
    let port = contested.port.to_string();
    let there = of(&contested.actors, "holder")?;
    ask(setting, &["who", &port], 1)?;
    let shown = ask(setting, &["who", &port, "--netns", &there], 0)?;
    ensure!(list(&shown, "holders")[0]["state"] == "listen", "{shown}");
    let shown = ask(setting, &["who", &left.to_string(), "--netns", &there], 0)?;
    let holder = list(&shown, "holders").first().context("no TIME_WAIT")?;
    ensure!(holder["state"] == "time_wait" && holder["ownership"] == "time_wait", "{shown}");
    let ms = holder["time_wait_left_ms"].as_u64().context("no time")?;
    ensure!((40_000..=60_000).contains(&ms), "{ms} ms: {shown}");
    ensure!(holder["options"].is_null(), "nobody can know the options: {shown}");
    ask(setting, &["who", "1", "--netns", &there], 1)?;
    Ok(())
}

/// Without root the sockets are reported, with a message that their processes cannot be seen.
pub(super) fn without_root(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "server", &listener("old", port))?;
    let ended = as_nobody(setting, &["who", &port.to_string(), "-o", "json"])?;
    let shown = answer(&ended, 0)?;
    ensure!(list(&shown, "holders")[0]["state"] == "listen", "{shown}");
    ensure!(people(&list(&shown, "holders")[0]).is_empty(), "shown all the same: {shown}");
    ensure!(shown["unseen"]["processes"].as_u64() > Some(0), "{shown}");
    says(&ended, "root sees all")?;
    let tells_bound = kernel_is_at_least("6.8")?;
    let port = ports.take()?;
    done(&mut actors, "server", &socket("bound", Protocol::Tcp, &[], (LOCALHOST, port), false))?;
    let ended = as_nobody(setting, &["who", &port.to_string(), "-o", "json"])?;
    let shown = answer(&ended, i32::from(!tells_bound))?;
    ensure!(shown["unseen"]["bound_sockets"] == !tells_bound, "{shown}");
    Ok(())
}

/// Root without CAP_SYS_PTRACE reports that more sockets exist than are shown, and why.
pub(super) fn without_ptrace(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "server", &listener("old", port))?;
    let mut command = programs::SETPRIV.command()?;
    command.args(["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]).arg(setting.portbind);
    let ended = Tracer::spawn(command.args(["who", &port.to_string(), "-o", "json"]))?.end()?;
    let shown = answer(&ended, 0)?;
    // For many processes the kernel's iterator is used, which requires other capabilities.
    if !people(&list(&shown, "holders")[0]).is_empty() {
        return Ok(());
    }
    ensure!(shown["unseen"]["processes"].as_u64() > Some(0), "{shown}");
    says(&ended, "CAP_SYS_PTRACE is missing")
}

/// A path and an abstract name; a file without a bound socket has no process.
pub(super) fn sockets_with_names(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut actors = Actors::default();
    let names = [SocketName::Path("a.sock".to_owned()), SocketName::Abstract("a".to_owned())];
    for (label, name) in ["path", "abstract"].into_iter().zip(&names) {
        done(&mut actors, "server", &Action::Open { new: label.to_owned(), kind: Kind::UnixStream })?;
        done(&mut actors, "server", &bind_name(label, name))?;
    }
    let pid = actors.pid("server").context("no server")?;
    let [path, abstract_name] = names.map(|name| name.as_shown(actors.folder()));
    let is_it = |shown: &Value| {
        list(shown, "holders").len() == 1 && shown["holders"][0]["processes"][0]["pid"] == pid
    };
    for word in [&path, &abstract_name] {
        let shown = ask(setting, &["who", word], 0)?;
        ensure!(is_it(&shown), "{shown}");
    }
    done(&mut actors, "server", &Action::Close { socket: "path".to_owned() })?;
    let shown = ask(setting, &["who", &path], 1)?;
    ensure!(shown["stale"] == true && shown["live"] == false, "{shown}");
    Ok(())
}
