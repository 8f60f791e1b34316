//! Filters omit unwanted refusals, and count them.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use super::setting::Setting;
use super::storm::await_shown;
use super::support::{ContestedPort, events, exited};
use crate::actor::{Action, Protocol};
use crate::tracer::Tracer;

/// How many pairs of ports are tried.
const PAIRS: u32 = 20;

/// `-p`.
pub(super) fn by_pid(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = ContestedPort::new(Protocol::Tcp)?;
    let mut other = ContestedPort::new(Protocol::Tcp)?;
    let pid = wanted.rename("binder", "wanted")?.to_string();
    filtered(setting, &["-p", &pid], &mut wanted, &mut other)
}

/// `-P`.
pub(super) fn by_port(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = ContestedPort::new(Protocol::Tcp)?;
    let mut other = ContestedPort::new(Protocol::Tcp)?;
    let port = wanted.port.to_string();
    filtered(setting, &["-P", &port], &mut wanted, &mut other)
}

/// `--comm`.
pub(super) fn by_comm(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = ContestedPort::new(Protocol::Tcp)?;
    let mut other = ContestedPort::new(Protocol::Tcp)?;
    wanted.rename("binder", "pb-wanted")?;
    other.rename("binder", "pb-other")?;
    filtered(setting, &["--comm", "pb-wanted"], &mut wanted, &mut other)
}

/// `--proto`.
pub(super) fn by_protocol(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = ContestedPort::new(Protocol::Udp)?;
    let mut other = ContestedPort::new(Protocol::Tcp)?;
    filtered(setting, &["--proto", "udp"], &mut wanted, &mut other)
}

/// `--netns`.
pub(super) fn by_netns(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut wanted = ContestedPort::new(Protocol::Tcp)?;
    let mut other = ContestedPort::new(Protocol::Tcp)?;
    // An actor in a separate namespace; both the holder and the caller are there.
    for actor in ["holder", "binder"] {
        let enter = match actor {
            "holder" => Action::NewNetns,
            _ => Action::JoinNetns { of: "holder".to_owned(), pid: 0 },
        };
        wanted.actors.perform(actor, &enter)?;
    }
    wanted.hold()?;
    let holder = wanted.actors.pid("holder").context("no holder")?;
    filtered(setting, &["--netns", &format!("pid:{holder}")], &mut wanted, &mut other)
}

/// `-e`: a list, `all`, and the default, which is EADDRINUSE alone.
pub(super) fn by_error(setting: Setting<'_>) -> anyhow::Result<()> {
    let wishes: [(&[&str], [usize; 2]); 4] = [
        (&[], [1, 0]),
        (&["-e", "all"], [1, 1]),
        (&["-e", "EADDRNOTAVAIL"], [0, 1]),
        (&["-e", "eaddrinuse,eaddrnotavail"], [1, 1]),
    ];
    for (wish, expected) in wishes {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        let tracer = Tracer::trace(setting.portbind, setting.backend, &[&["-o", "json"], wish].concat())?;
        let pids = [contested.refuse("binder", 1)?, contested.ask_for_elsewhere("stranger")?];
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        ended.account()?.check()?;
        let mut reported = [0; 2];
        for (reported, pid) in reported.iter_mut().zip(pids) {
            *reported = events(&ended.stdout, pid)?.len();
        }
        ensure!(
            reported == expected,
            "{wish:?}: expected {expected:?}, reported {reported:?}\n{}",
            ended.stdout.join("\n")
        );
    }
    Ok(())
}

/// The binds by which portbind searches for a free port are not in the account, although the kernel refuses some.
pub(super) fn own_trials(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut contested, _next) = neighbours()?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    let pid = contested.refuse("binder", 1)?;
    await_shown(&tracer, pid, 1);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    account.check()?;
    ensure!(events(&ended.stdout, pid)?.len() == 1, "not reported once:\n{}", ended.stdout.join("\n"));
    ensure!(account.filtered == 0, "no filter is set: {account:?}");
    Ok(())
}

/// A contested port, and a listener on the next port.
fn neighbours() -> anyhow::Result<(ContestedPort, TcpListener)> {
    for _ in 0..PAIRS {
        let contested = ContestedPort::new(Protocol::Tcp)?;
        let next = contested.port.checked_add(1).context("the last port")?;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, next)) {
            return Ok((contested, listener));
        }
    }
    bail!("no two ports in a row are free");
}

/// One refusal that passes the filter, and one that does not.
fn filtered(
    setting: Setting<'_>,
    filter: &[&str],
    wanted: &mut ContestedPort,
    other: &mut ContestedPort,
) -> anyhow::Result<()> {
    let options = [&["-o", "json"], filter].concat();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    let kept = other.refuse("binder", 1)?;
    let shown = wanted.refuse("binder", 1)?;
    // The end of a run waits for at most a second.
    await_shown(&tracer, shown, 1);
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let account = ended.account()?;
    account.check()?;
    let reported = ended.stdout.join("\n");
    ensure!(
        events(&ended.stdout, shown)?.len() == 1,
        "what was asked for was not reported once:\n{reported}"
    );
    ensure!(events(&ended.stdout, kept)?.is_empty(), "what was not asked for was reported:\n{reported}");
    ensure!(account.filtered >= 1, "what was kept back is not in the account: {account:?}");
    Ok(())
}
