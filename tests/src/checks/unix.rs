//! Filters for portless sockets, and families that only the system call hook sees.

use anyhow::ensure;
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, events, exited};
use crate::actor::{Action, Kind, Protocol, SocketName, Way};
use crate::tracer::Tracer;

/// `--proto unix` reports only AF_UNIX sockets.
pub(super) fn by_protocol(setting: Setting<'_>) -> anyhow::Result<()> {
    compare(setting, &["--proto", "unix"], [1, 0, 0])?;
    compare(setting, &["--proto", "unix,netlink"], [1, 1, 0])?;
    compare(setting, &["--proto", "tcp"], [0, 0, 1])
}

/// `-P` reports no portless socket.
pub(super) fn by_port(setting: Setting<'_>) -> anyhow::Result<()> {
    compare(setting, &["-P", "0-65535"], [0, 0, 1])
}

/// A packet socket and a missing interface: a family without a separate hook.
pub(super) fn other_family(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-e", "all"])?;
    let pid = ask(&mut contested, "binder", Kind::Packet, &SocketName::Packet(i32::MAX), "ENODEV")?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    let shown = events(&ended.stdout, pid)?;
    ensure!(shown.len() == 1, "expected one event, got:\n{}", ended.stdout.join("\n"));
    for event in shown {
        ensure!(event.socket.family == "17" && event.error.name == "ENODEV", "shown: {}", event.line);
    }
    Ok(())
}

/// Makes refused binds of an abstract name, a netlink port id and a TCP port, and counts the reports of each.
fn compare(setting: Setting<'_>, filter: &[&str], expected: [usize; 3]) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let names = [
        (Kind::UnixStream, SocketName::Abstract("app".to_owned())),
        (Kind::NetlinkRoute, SocketName::Netlink(contested.port.into())),
    ];
    for (kind, name) in &names {
        bind(&mut contested, "holder", *kind, name)?;
    }
    let tracer = Tracer::trace(setting.portbind, setting.backend, &[&["-o", "json"], filter].concat())?;
    let mut pids = Vec::new();
    for (index, (kind, name)) in names.iter().enumerate() {
        pids.push(ask(&mut contested, &format!("binder {index}"), *kind, name, "EADDRINUSE")?);
    }
    pids.push(contested.refuse("binder", 1)?);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    let shown =
        pids.iter().map(|&pid| Ok(events(&ended.stdout, pid)?.len())).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(
        shown == expected,
        "{filter:?}: expected {expected:?}, shown {shown:?}\n{}",
        ended.stdout.join("\n")
    );
    Ok(())
}

/// Binds a new socket, which must be refused; returns the actor's pid.
fn ask(
    contested: &mut ContestedPort,
    actor: &str,
    kind: Kind,
    name: &SocketName,
    error: &str,
) -> anyhow::Result<u32> {
    let answer = attempt(contested, actor, kind, name)?;
    ensure!(answer.error.as_deref() == Some(error), "expected {error}, got {:?}", answer.error);
    Ok(answer.pid)
}

/// Binds a new socket.
fn bind(contested: &mut ContestedPort, actor: &str, kind: Kind, name: &SocketName) -> anyhow::Result<()> {
    let answer = attempt(contested, actor, kind, name)?;
    ensure!(answer.error.is_none(), "{actor} could not bind {name:?}: {:?}", answer.error);
    Ok(())
}

fn attempt(
    contested: &mut ContestedPort,
    actor: &str,
    kind: Kind,
    name: &SocketName,
) -> anyhow::Result<crate::actor::Answer> {
    let label = format!("{actor} {kind:?}");
    contested.actors.perform(actor, &Action::Open { new: label.clone(), kind })?;
    let folder = std::path::PathBuf::new();
    contested
        .actors
        .perform(actor, &Action::BindName { socket: label, name: name.clone(), folder, by: Way::Call })
}
