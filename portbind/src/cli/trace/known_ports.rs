//! What was found of ports a moment ago: a burst of refusals of one port asks once.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Instant;

use lru::LruCache;

use super::processes::FRESH;
use crate::diagnosis::event::{Protocol, Socket};
use crate::diagnosis::facts::{PortFacts, Usage};
use crate::host::Procfs;
use crate::host::ports::{in_network_namespace, look};

/// Ports of which facts are kept.
const KNOWN: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// Facts of ports.
#[derive(Debug)]
pub(super) struct KnownPorts {
    /// By network namespace, protocol, address and port.
    facts: LruCache<(u32, Protocol, IpAddr, u16), (Instant, PortFacts)>,
}

impl KnownPorts {
    pub(super) fn new() -> Self {
        Self { facts: LruCache::new(KNOWN) }
    }

    /// Facts of the port that process `pid` asked for with `socket`; where it asked for any, `usage` counts
    /// the ports of the range.
    pub(super) fn of(
        &mut self,
        procfs: &Procfs,
        pid: u32,
        socket: &Socket,
        now: Instant,
        usage: impl FnOnce((u16, u16)) -> Option<Usage>,
    ) -> PortFacts {
        let key = (socket.netns, socket.protocol, socket.address, socket.port);
        if let Some((when, facts)) = self.facts.get(&key)
            && now.duration_since(*when) < FRESH
        {
            return facts.clone();
        }
        let mut facts = if procfs.own_network_namespace() == Some(socket.netns) {
            look(socket)
        } else {
            in_network_namespace(procfs, pid, || look(socket)).unwrap_or_default()
        };
        if socket.port == 0 {
            facts.usage = facts.ephemeral.and_then(usage);
        }
        self.facts.put(key, (now, facts.clone()));
        facts
    }
}
