//! Names of network namespaces, looked up once for a burst of refusals.

use std::num::NonZeroUsize;
use std::time::Instant;

use lru::LruCache;

use super::processes::FRESH;
use crate::diagnosis::event::Process;
use crate::host::Host;

/// Namespaces whose names are kept.
const KNOWN: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Names of network namespaces, by inode number.
#[derive(Debug)]
pub(super) struct NetnsNames(LruCache<u32, (Instant, Option<String>)>);

impl NetnsNames {
    pub(super) fn new() -> Self {
        Self(LruCache::new(KNOWN))
    }

    /// The name of a namespace; of one without, that of the caller's container, if it is the caller's.
    pub(super) fn of(&mut self, host: &Host, netns: u32, caller: &Process, now: Instant) -> Option<String> {
        let named = match self.0.get(&netns) {
            Some((when, name)) if now.duration_since(*when) < FRESH => name.clone(),
            _ => {
                let name = host.network_namespace_name(netns);
                self.0.put(netns, (now, name.clone()));
                name
            }
        };
        named.or_else(|| {
            // A container may well use the network of the host.
            let is_ours = host.procfs.own_network_namespace() == Some(netns);
            let container = caller.container.as_ref().filter(|_| !is_ours)?;
            Some(container.label().to_owned())
        })
    }
}
