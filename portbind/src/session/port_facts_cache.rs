//! A cache of recent facts about ports.

use std::net::IpAddr;
use std::time::Instant;

use super::bounded::Usage as Bytes;
use super::recent::Recent;
use crate::diagnosis::facts::{PortFacts, Usage};
use crate::event::{Protocol, Socket};
use crate::host::Host;
use crate::host::ports::facts_from;

/// Limit for the bytes of stored facts.
const KNOWN: usize = 64 * 1024;

/// Facts about ports, by network namespace, protocol, address and port.
#[derive(Debug)]
pub(super) struct PortFactsCache(Recent<(u32, Protocol, IpAddr, u16), PortFacts>);

impl PortFactsCache {
    pub(super) fn new() -> Self {
        Self(Recent::new(KNOWN, |facts| facts.reserved.as_ref().map_or(0, String::len) + usage_bytes(facts)))
    }

    pub(super) const fn usage(&self) -> Bytes {
        self.0.usage()
    }

    /// Facts about the port that process `pid` requested with `socket`; for a request of any port, `usage` counts the
    /// ports of the range.
    pub(super) fn of(
        &mut self,
        host: &Host,
        pid: u32,
        socket: &Socket,
        now: Instant,
        usage: impl FnOnce((u16, u16)) -> Option<Usage>,
    ) -> PortFacts {
        let key = (socket.netns, socket.protocol, socket.address, socket.port);
        self.0.of(key, now, || {
            let mut facts = facts_from(&host.procfs, &host.entrance, pid, socket);
            if socket.port == 0 {
                facts.usage = facts.ephemeral.and_then(usage);
            }
            facts
        })
    }
}

fn usage_bytes(facts: &PortFacts) -> usize {
    facts.usage.as_ref().map_or(0, |usage| {
        let names = usage.processes.iter().map(|(name, ..)| name.len()).sum::<usize>();
        size_of_val(usage.states.as_slice()) + size_of_val(usage.processes.as_slice()) + names
    })
}
