//! Names of network namespaces.

use std::time::Instant;

use super::bounded::Usage;
use super::recent::Recent;
use crate::event::Process;
use crate::host::Host;

/// Limit for the bytes of stored names.
const KNOWN: usize = 32 * 1024;

/// Names of network namespaces, by inode number.
#[derive(Debug)]
pub(super) struct NetnsNames {
    names: Recent<u32, Option<String>>,
    /// The network namespace that portbind runs in for its whole lifetime.
    own: Option<u32>,
}

impl NetnsNames {
    pub(super) fn new(host: &Host) -> Self {
        let names = Recent::new(KNOWN, |name: &Option<String>| name.as_ref().map_or(0, String::len));
        Self { names, own: host.procfs.own_network_namespace() }
    }

    pub(super) const fn usage(&self) -> Usage {
        self.names.usage()
    }

    /// The name of a namespace. An unnamed one gets the name of the caller's container, if it is the caller's
    /// namespace.
    pub(super) fn of(&mut self, host: &Host, netns: u32, caller: &Process, now: Instant) -> Option<String> {
        let named = self.names.of(netns, now, || host.network_namespace_name(netns));
        named.or_else(|| {
            // A container may use the host's network namespace.
            let container = caller.container.as_ref().filter(|_| self.own != Some(netns))?;
            Some(container.label().to_owned())
        })
    }
}
