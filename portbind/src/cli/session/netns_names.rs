//! Names of network namespaces.

use std::num::NonZeroUsize;
use std::time::Instant;

use super::recent::Recent;
use crate::diagnosis::event::Process;
use crate::host::Host;

/// Namespaces whose names are kept.
const KNOWN: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Names of network namespaces, by inode number.
#[derive(Debug)]
pub(super) struct NetnsNames {
    names: Recent<u32, Option<String>>,
    /// The one that portbind is in, and stays in.
    own: Option<u32>,
}

impl NetnsNames {
    pub(super) fn new(host: &Host) -> Self {
        Self { names: Recent::new(KNOWN), own: host.procfs.own_network_namespace() }
    }

    /// The name of a namespace; of one without, that of the caller's container, if it is the caller's.
    pub(super) fn of(&mut self, host: &Host, netns: u32, caller: &Process, now: Instant) -> Option<String> {
        let named = self.names.of(netns, now, || host.network_namespace_name(netns));
        named.or_else(|| {
            // A container may well use the network of the host.
            let container = caller.container.as_ref().filter(|_| self.own != Some(netns))?;
            Some(container.label().to_owned())
        })
    }
}
