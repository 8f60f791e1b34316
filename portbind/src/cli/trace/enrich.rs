//! From evidence to a diagnosed refusal: who is behind the pids and sockets, then the cause.

mod named;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use portbind_ebpf::abi::{self, walk};

use crate::diagnosis::cause::{self, Search};
use crate::diagnosis::event::{Confidence, Holder, HolderProcess, Interface, Process, Refusal};
use crate::host::clock::tick_ns;
use crate::host::netns::Interfaces;
use crate::host::owners::{FdSource, OwnerMap, from_triples};
use crate::host::{Host, OwnerCache, SocketOwners};
use crate::kernel::assemble::Evidence;
use crate::kernel::backend::Backend;
use crate::kernel::evidence;
use crate::kernel::sockets::OpenSockets;
use crate::kernel::tracer::{AttachError, Tracer};

/// How long a description of a process is believed: a burst of refusals asks once.
const FRESH: Duration = Duration::from_millis(50);
/// Descriptions kept at once.
const DESCRIPTIONS: usize = 1024;

/// Looks up on the host what the kernel's evidence leaves open.
#[derive(Debug)]
pub(super) struct Enricher {
    host: Host,
    owners: OwnerCache<Source>,
    fallback: Option<AttachError>,
    callers: HashMap<CallerKey, Process>,
    described: HashMap<u32, (Instant, Option<Process>)>,
    interfaces: Interfaces,
    tick_ns: u64,
}

/// A caller that was described once is the same as long as none of this changed.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CallerKey {
    task: u64,
    started: u64,
    comm: [u8; abi::COMM_LEN],
    args: Vec<u8>,
}

impl Enricher {
    pub(super) fn new(tracer: &Tracer) -> Self {
        let host = Host::new();
        let procfs = SocketOwners::new(host.procfs.clone());
        let (source, fallback) = match tracer.open_sockets() {
            Ok(open_sockets) => (Source::Kernel(open_sockets, procfs), None),
            Err(error) => (Source::Procfs(procfs), Some(error)),
        };
        Self {
            owners: OwnerCache::new(source, host.procfs.clone(), FRESH),
            interfaces: Interfaces::new(&host.procfs),
            tick_ns: tick_ns(),
            host,
            fallback,
            callers: HashMap::new(),
            described: HashMap::new(),
        }
    }

    /// Why owners of sockets are looked up in `/proc`, if they are.
    pub(super) const fn fallback(&self) -> Option<&AttachError> {
        self.fallback.as_ref()
    }

    /// Describes one refusal.
    pub(super) fn describe(&mut self, evidence: &Evidence, backend: Backend, lost: u64) -> Refusal {
        if let Some(sockaddr) = &evidence.name {
            return self.describe_named(evidence, sockaddr, backend, lost);
        }
        let now = Instant::now();
        let flags = evidence::walk_flags(evidence);
        let process = self.caller(evidence);
        let mut socket = evidence::socket(&evidence.refusal.socket);
        let mut holders = evidence::holders(evidence, self.tick_ns);
        self.name_interface(socket.netns, &mut socket.interface);
        self.find_owners(&mut holders, socket.netns, now);
        let operation = evidence::operation(evidence);
        let error = evidence::error(evidence);
        let search = if flags & walk::NOT_WALKED != 0 {
            Search::NotDone
        } else if flags & walk::TRUNCATED != 0 {
            Search::Truncated
        } else {
            Search::Done
        };
        let cause = cause::decide(error, operation, &process, &socket, &mut holders, search);
        Refusal {
            time: self.host.clock.at(evidence.refusal.header.time),
            operation,
            error,
            process,
            socket,
            holders,
            holders_truncated: search == Search::Truncated,
            bystanders: evidence.walk.map_or(0, |walk| walk.bystanders),
            cause,
            confidence: Confidence::Kernel,
            backend: backend.as_str(),
            lost,
        }
    }

    /// The caller: what the kernel said, and what `/proc` adds while it lives.
    fn caller(&mut self, evidence: &Evidence) -> Process {
        let caller = &evidence.refusal.caller;
        let args_len = usize::try_from(caller.args_len).unwrap_or(0).min(abi::ARGS_LEN);
        let key = CallerKey {
            task: evidence.refusal.header.task,
            started: caller.start_time,
            comm: caller.comm,
            args: caller.args.get(..args_len).unwrap_or_default().to_vec(),
        };
        if let Some(known) = self.callers.get(&key) {
            return known.clone();
        }
        let mut process = evidence::caller(evidence, &self.host.clock);
        process.user = process.uid.and_then(|uid| self.host.users.name(uid));
        if let Some(alive) = self.host.describe_if_started_at(process.pid, caller.start_time) {
            process.exe = alive.exe;
            process.cgroup = alive.cgroup;
            if process.args_truncated || process.args.is_empty() {
                process.args = alive.args;
                process.args_truncated = alive.args_truncated;
            }
        }
        if self.callers.len() >= DESCRIPTIONS {
            self.callers.clear();
        }
        self.callers.insert(key, process.clone());
        process
    }

    fn find_owners(&mut self, holders: &mut [Holder], netns: u32, now: Instant) {
        let inodes: HashSet<u64> = holders.iter().filter_map(|holder| holder.inode).collect();
        let owners = if inodes.is_empty() { HashMap::new() } else { self.owners.find(&inodes, now) };
        for holder in holders {
            holder.user = holder.uid.and_then(|uid| self.host.users.name(uid));
            self.name_interface(netns, &mut holder.interface);
            let found = holder.inode.and_then(|inode| owners.get(&inode));
            for owner in found.into_iter().flatten() {
                let process = self.described(owner.pid, now);
                let unknown = || Process { pid: owner.pid, tid: owner.pid, ..Process::default() };
                let process = process.unwrap_or_else(unknown);
                holder.processes.push(HolderProcess { process, fds: owner.fds.clone() });
            }
        }
    }

    fn described(&mut self, pid: u32, now: Instant) -> Option<Process> {
        if let Some((when, process)) = self.described.get(&pid)
            && now.duration_since(*when) < FRESH
        {
            return process.clone();
        }
        let process = self.host.describe(pid);
        if self.described.len() >= DESCRIPTIONS {
            self.described.clear();
        }
        self.described.insert(pid, (now, process.clone()));
        process
    }

    fn name_interface(&self, netns: u32, interface: &mut Option<Interface>) {
        if let Some(interface) = interface {
            interface.name = self.interfaces.name(netns, interface.index);
        }
    }
}

/// Where owners of sockets are asked for.
#[derive(Debug)]
enum Source {
    /// The kernel's iterator, or `/proc` where a walk breaks off.
    Kernel(OpenSockets, SocketOwners),
    Procfs(SocketOwners),
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
