//! Finds the owners of sockets, by the kernel's iterator or in `/proc`.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use portbind_abi::OpenSocket;

use crate::host::owners::{FdSource, OwnerMap, from_triples};
use crate::host::sockets::Scan;
use crate::host::{Privileges, SocketOwners};
use crate::kernel::sockets::OpenSockets;
use crate::kernel::tracer::load_open_sockets;

/// Source for the owners of sockets.
#[derive(Debug)]
pub(crate) enum OwnerSource {
    /// The kernel's iterator, or `/proc` if a walk fails.
    Kernel(OpenSockets, SocketOwners),
    /// `/proc`, and the kernel's iterator once it was needed, if it could be loaded.
    Procfs(SocketOwners, OnceCell<Option<OpenSockets>>),
}

/// Number of processes from which the kernel's iterator is faster, including the time to load it: loading takes 10 to
/// 30 ms, mostly for reading the kernel's types; a process with 50 descriptors takes 0.1 ms in `/proc`.
const WORTH_LOADING: usize = 512;

impl OwnerSource {
    /// The fastest source for a single query: the kernel's iterator if there are many processes and it can be loaded,
    /// otherwise `/proc`.
    pub(crate) fn for_one_question(procfs: SocketOwners) -> Self {
        let may_load = procfs.has_processes(WORTH_LOADING) && Privileges::read().missing().is_empty();
        match may_load.then(load_open_sockets) {
            Some(Ok(open_sockets)) => Self::Kernel(open_sockets, procfs),
            _ => Self::procfs(procfs),
        }
    }

    /// `/proc` as the first source.
    pub(crate) const fn procfs(procfs: SocketOwners) -> Self {
        Self::Procfs(procfs, OnceCell::new())
    }

    /// As [`FdSource::find`], with the number of processes that could not be read.
    pub(crate) fn scan(&self, inodes: &HashSet<u64>) -> Scan {
        match self {
            Self::Kernel(open_sockets, procfs) => match open_sockets.of(inodes) {
                Ok(open) => Scan { owners: by_inode(&open), unreadable: 0 },
                Err(_) => procfs.scan(inodes).unwrap_or_default(),
            },
            Self::Procfs(procfs, iterator) => {
                let scan = procfs.scan(inodes).unwrap_or_default();
                if scan.unreadable == 0 || inodes.iter().all(|inode| scan.owners.contains_key(inode)) {
                    return scan;
                }
                // The iterator also sees processes that this one may not inspect, such as process 1 of a sandbox.
                let load = || Privileges::read().missing().is_empty().then(load_open_sockets)?.ok();
                let seen = iterator.get_or_init(load).as_ref().and_then(|iterator| iterator.of(inodes).ok());
                seen.map_or(scan, |open| Scan { owners: by_inode(&open), unreadable: 0 })
            }
        }
    }

    /// Every open socket; none if `/proc` is the only source, because a full scan takes long. If a walk of the iterator
    /// fails, `/proc` is scanned anyway: a walk fails at a process with more sockets than the kernel returns at a time.
    pub(crate) fn open_sockets(&self) -> Vec<OpenSocket> {
        match self {
            Self::Kernel(open_sockets, procfs) => open_sockets.all().unwrap_or_else(|_| from_procfs(procfs)),
            Self::Procfs(..) => Vec::new(),
        }
    }
}

impl FdSource for OwnerSource {
    fn find(&self, inodes: &HashSet<u64>) -> OwnerMap {
        let (open_sockets, procfs) = match self {
            Self::Kernel(open_sockets, procfs) => (open_sockets, procfs),
            Self::Procfs(procfs, _) => return procfs.find(inodes),
        };
        match open_sockets.of(inodes) {
            Ok(open) => by_inode(&open),
            Err(_) => procfs.find(inodes),
        }
    }
}

/// Every open socket, from `/proc`.
fn from_procfs(procfs: &SocketOwners) -> Vec<OpenSocket> {
    let scan = procfs.scan_where(&|_| true).unwrap_or_default();
    let mut open = Vec::new();
    for (inode, owners) in scan.owners {
        for owner in owners {
            let socket = |fd| OpenSocket { inode, start_time: 0, pid: owner.pid, fd };
            open.extend(owner.fds.into_iter().map(socket));
        }
    }
    open
}

fn by_inode(open: &[OpenSocket]) -> OwnerMap {
    let started: HashMap<u32, u64> = open.iter().map(|socket| (socket.pid, socket.start_time)).collect();
    let mut owners = from_triples(open.iter().map(|socket| (socket.pid, socket.fd, socket.inode)));
    for owner in owners.values_mut().flatten() {
        owner.started = started.get(&owner.pid).copied();
    }
    owners
}
