//! What several checks need: a refusal to order, and an end to judge.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::actor::{Action, Family, Protocol};
use crate::event::Event;
use crate::ports::Ports;
use crate::tracer::Ended;
use crate::troupe::Troupe;
use crate::verify;

/// How long an event may take to be told.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// The address that all refusals here are about.
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A taken port, and processes that want it.
pub(super) struct Quarrel {
    pub(super) troupe: Troupe,
    pub(super) port: u16,
    protocol: Protocol,
    _ports: Ports,
}

impl Quarrel {
    /// Takes a port.
    pub(super) fn new(protocol: Protocol) -> anyhow::Result<Self> {
        let mut ports = Ports::new();
        let port = ports.take()?;
        let mut troupe = Troupe::default();
        let old = Action::Socket {
            new: "old".to_owned(),
            family: Family::Inet,
            protocol,
            options: Vec::new(),
            address: Some(LOCALHOST),
            port: Some(port),
            listen: protocol == Protocol::Tcp,
        };
        let answer = troupe.tell("holder", &old)?;
        ensure!(answer.error.is_none(), "the holder could not bind: {:?}", answer.error);
        Ok(Self { troupe, port, protocol, _ports: ports })
    }

    /// Has the port refused so many times to an actor; its pid.
    pub(super) fn refuse(&mut self, actor: &str, count: u32) -> anyhow::Result<u32> {
        let storm = Action::Storm {
            family: Family::Inet,
            protocol: self.protocol,
            address: LOCALHOST,
            port: self.port,
            count,
        };
        let answer = self.troupe.tell(actor, &storm)?;
        ensure!(
            answer.refused == Some(count),
            "{count} refusals ordered, got {:?} and {:?}",
            answer.refused,
            answer.error
        );
        Ok(answer.pid)
    }

    /// Gives an actor a name.
    pub(super) fn rename(&mut self, actor: &str, name: &str) -> anyhow::Result<u32> {
        let answer = self.troupe.tell(actor, &Action::Rename { name: name.to_owned() })?;
        ensure!(answer.error.is_none(), "{actor} could not be renamed: {:?}", answer.error);
        Ok(answer.pid)
    }
}

/// Events of a process.
pub(super) fn events(lines: &[String], pid: u32) -> anyhow::Result<Vec<Event>> {
    verify::events_of(lines, |told| told == pid).map_err(anyhow::Error::msg)
}

/// Complains unless it ended with this code.
pub(super) fn exited(ended: &Ended, code: i32) -> anyhow::Result<()> {
    if ended.status.code() != Some(code) {
        bail!("expected exit code {code}, got {}:\n{}", ended.status, ended.stderr.join("\n"));
    }
    Ok(())
}

/// Complains unless standard error contains the word.
pub(super) fn says(ended: &Ended, word: &str) -> anyhow::Result<()> {
    let text = ended.stderr.join("\n");
    let lower = text.to_lowercase();
    lower.contains(&word.to_lowercase()).then_some(()).with_context(|| format!("no word of {word}:\n{text}"))
}
