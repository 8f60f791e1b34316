//! Helpers for checks: causing a refusal, and checking the end of a run.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::actor::{Action, Family, Protocol};
use crate::actors::Actors;
use crate::event::Event;
use crate::ports::Ports;
use crate::tracer::Ended;
use crate::verify;

/// How long portbind may take to read the rest of the ring buffer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Refusals that are made if one is needed: a kernel may miss one (7.3).
pub(super) const ENOUGH: u32 = 3;
/// How long it may take until an event is reported.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// The address of all refusals here.
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A taken port, and actors that want it.
pub(super) struct ContestedPort {
    pub(super) actors: Actors,
    pub(super) port: u16,
    protocol: Protocol,
    _ports: Ports,
}

impl ContestedPort {
    /// Takes a port.
    pub(super) fn new(protocol: Protocol) -> anyhow::Result<Self> {
        let mut ports = Ports::new();
        let port = ports.take()?;
        let mut contested = Self { actors: Actors::default(), port, protocol, _ports: ports };
        contested.hold()?;
        Ok(contested)
    }

    /// Makes the holder take the port in its current namespace.
    pub(super) fn hold(&mut self) -> anyhow::Result<()> {
        let old = self.socket("old", LOCALHOST);
        let answer = self.actors.perform("holder", &old)?;
        ensure!(answer.error.is_none(), "the holder could not bind: {:?}", answer.error);
        Ok(())
    }

    /// Makes an actor's bind of the port fail `count` times; returns the actor's pid.
    pub(super) fn refuse(&mut self, actor: &str, count: u32) -> anyhow::Result<u32> {
        let storm = Action::Storm {
            family: Family::Inet,
            protocol: self.protocol,
            address: LOCALHOST,
            port: self.port,
            count,
        };
        let answer = self.actors.perform(actor, &storm)?;
        ensure!(
            answer.refused == Some(count),
            "{count} refusals ordered, got {:?} and {:?}",
            answer.refused,
            answer.error
        );
        Ok(answer.pid)
    }

    /// Makes the holder release the port, and take one that the kernel chooses.
    pub(super) fn hold_any(&mut self) -> anyhow::Result<()> {
        self.actors.perform("holder", &Action::Close { socket: "old".to_owned() })?;
        self.port = 0;
        let any = self.socket("old", LOCALHOST);
        self.port = self.actors.perform("holder", &any)?.port.context("the holder got no port")?;
        Ok(())
    }

    /// Makes an actor connect to the holder from a port that the kernel picks, close first, and end; returns the port
    /// and the actor's pid.
    pub(super) fn leave_time_wait(&mut self, actor: &str) -> anyhow::Result<(u16, u32)> {
        let port = self.connect(actor)?;
        let pid = self.actors.perform(actor, &Action::Exit)?.pid;
        self.actors.perform("holder", &Action::Drain { socket: "near".to_owned() })?;
        self.actors.perform("holder", &Action::Close { socket: "near".to_owned() })?;
        Ok((port, pid))
    }

    /// Makes an actor connect to the holder, which accepts (`far` to `near`), from a port that the kernel picks; in a
    /// namespace where a late RST does not end TIME_WAIT.
    pub(super) fn connect(&mut self, actor: &str) -> anyhow::Result<u16> {
        let sysctl = Action::Sysctl { name: "ipv4/tcp_rfc1337".to_owned(), value: "1".to_owned() };
        for action in [Action::Close { socket: "old".to_owned() }, Action::NewNetns, sysctl] {
            self.actors.perform("holder", &action)?;
        }
        let join = Action::JoinNetns { of: "holder".to_owned(), pid: 0 };
        self.actors.perform(actor, &join)?;
        self.hold()?;
        let label = |name: &str| name.to_owned();
        let far = self.action("far", None, false);
        self.actors.perform(actor, &far)?;
        let connect = Action::Connect { socket: label("far"), address: LOCALHOST, port: self.port };
        let port = self.actors.perform(actor, &connect)?.port.context("no port")?;
        self.actors.perform("holder", &Action::Accept { socket: label("old"), new: label("near") })?;
        Ok(port)
    }

    /// Makes an actor connect to the holder, which ends first: its side of the connection stays on the port.
    pub(super) fn leave_by_server(&mut self, actor: &str) -> anyhow::Result<()> {
        let label = |name: &str| name.to_owned();
        self.actors.perform(actor, &self.action("far", None, false))?;
        let connect = Action::Connect { socket: label("far"), address: LOCALHOST, port: self.port };
        self.actors.perform(actor, &connect)?;
        self.actors.perform("holder", &Action::Accept { socket: label("old"), new: label("near") })?;
        self.actors.perform("holder", &Action::Exit)?;
        self.actors.perform(actor, &Action::Drain { socket: label("far") })?;
        self.actors.perform(actor, &Action::Close { socket: label("far") })?;
        Ok(())
    }

    /// Makes an actor request a port in the holder's namespace and be refused; returns its pid.
    pub(super) fn take(&mut self, actor: &str, port: u16) -> anyhow::Result<u32> {
        self.actors.perform(actor, &Action::JoinNetns { of: "holder".to_owned(), pid: 0 })?;
        let socket = self.action("new", Some((LOCALHOST, port)), false);
        let answer = self.actors.perform(actor, &socket)?;
        ensure!(answer.error.as_deref() == Some("EADDRINUSE"), "port {port}: {:?}", answer.error);
        Ok(answer.pid)
    }

    /// Makes an actor request an address that this host does not have; returns its pid.
    pub(super) fn ask_for_elsewhere(&mut self, actor: &str) -> anyhow::Result<u32> {
        let documentation = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let asked = self.socket("elsewhere", documentation);
        let answer = self.actors.perform(actor, &asked)?;
        ensure!(answer.error.as_deref() == Some("EADDRNOTAVAIL"), "got {:?}", answer.error);
        Ok(answer.pid)
    }

    /// A server socket on the port.
    fn socket(&self, label: &str, address: IpAddr) -> Action {
        self.action(label, Some((address, self.port)), self.protocol == Protocol::Tcp)
    }

    fn action(&self, label: &str, bound: Option<(IpAddr, u16)>, listen: bool) -> Action {
        Action::Socket {
            new: label.to_owned(),
            family: Family::Inet,
            protocol: self.protocol,
            options: Vec::new(),
            address: bound.map(|(address, _)| address),
            port: bound.map(|(_, port)| port),
            listen,
        }
    }

    /// Sets an actor's process name.
    pub(super) fn rename(&mut self, actor: &str, name: &str) -> anyhow::Result<u32> {
        let answer = self.actors.perform(actor, &Action::Rename { name: name.to_owned() })?;
        ensure!(answer.error.is_none(), "{actor} could not be renamed: {:?}", answer.error);
        Ok(answer.pid)
    }
}

/// Events of a process.
pub(super) fn events(lines: &[String], pid: u32) -> anyhow::Result<Vec<Event>> {
    verify::events_of(lines, |shown| shown == pid).map_err(anyhow::Error::msg)
}

/// Fails unless the process ended with this code.
pub(super) fn exited(ended: &Ended, code: i32) -> anyhow::Result<()> {
    if ended.status.code() != Some(code) {
        bail!("expected exit code {code}, got {}:\n{}", ended.status, ended.stderr.join("\n"));
    }
    Ok(())
}

/// Fails unless standard error contains the word.
pub(super) fn says(ended: &Ended, word: &str) -> anyhow::Result<()> {
    let text = ended.stderr.join("\n");
    let lower = text.to_lowercase();
    lower.contains(&word.to_lowercase()).then_some(()).with_context(|| format!("no word of {word}:\n{text}"))
}
