//! Who has a socket open: the kernel's iterator, or `/proc`.

use std::collections::{BTreeSet, HashSet};

use crate::host::SocketOwners;
use crate::host::owners::{FdSource, OwnerMap, from_triples};
use crate::kernel::sockets::OpenSockets;

/// Where owners of sockets are asked for.
#[derive(Debug)]
pub(super) enum Source {
    /// The kernel's iterator, or `/proc` where a walk breaks off.
    Kernel(OpenSockets, SocketOwners),
    Procfs(SocketOwners),
}

impl Source {
    /// The processes that have sockets open; where only `/proc` tells, none: that takes long.
    pub(super) fn processes(&self) -> Vec<u32> {
        let Self::Kernel(open_sockets, _) = self else { return Vec::new() };
        let pids: BTreeSet<u32> =
            open_sockets.read().unwrap_or_default().iter().map(|open| open.pid).collect();
        pids.into_iter().collect()
    }
}

impl FdSource for Source {
    fn find(&self, inodes: &HashSet<u64>) -> OwnerMap {
        let (open_sockets, procfs) = match self {
            Self::Kernel(open_sockets, procfs) => (open_sockets, procfs),
            Self::Procfs(procfs) => return procfs.find(inodes),
        };
        match open_sockets.read() {
            Ok(open) => {
                let wanted = open.into_iter().filter(|open| inodes.contains(&open.inode));
                from_triples(wanted.map(|open| (open.pid, open.fd, open.inode)))
            }
            Err(_) => procfs.find(inodes),
        }
    }
}
