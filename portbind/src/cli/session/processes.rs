//! Who the processes are: what the kernel said of them, and what `/proc` adds while they live.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Instant;

use jiff::SignedDuration;
use lru::LruCache;
use portbind_ebpf::abi;

use super::recent::Recent;
use crate::diagnosis::event::{Job, Process};
use crate::host::Host;
use crate::kernel::evidence;

/// Processes that are remembered, dead ones included.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// `/proc` rounds the start of a process down to a tick of 10 ms (USER_HZ).
const START_SLACK: SignedDuration = SignedDuration::from_millis(20);

/// One process as it was met.
#[derive(Debug)]
struct Met {
    /// What execve changes: a process that was described is the same as long as this is.
    comm: [u8; abi::COMM_LEN],
    args: Vec<u8>,
    process: Rc<Process>,
}

/// The processes that were met.
#[derive(Debug)]
pub(super) struct Processes {
    pub(super) host: Host,
    /// By task and start of its process.
    met: LruCache<(u64, u64), Met>,
    /// Those that were met outside calls, by pid and start; a description holds until execve changes the name.
    seen: LruCache<(u32, u64), ([u8; abi::COMM_LEN], Rc<Process>)>,
    /// The latest description of each process, by pid and start.
    latest: LruCache<(u32, u64), Rc<Process>>,
    alive: Recent<u32, Option<Rc<Process>>>,
    /// Processes that had sockets open when tracing began.
    seeded: LruCache<u32, Rc<Process>>,
}

impl Processes {
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            met: LruCache::new(REMEMBERED),
            seen: LruCache::new(REMEMBERED),
            latest: LruCache::new(REMEMBERED),
            alive: Recent::new(REMEMBERED),
            seeded: LruCache::new(REMEMBERED),
        }
    }

    /// The process inside a call.
    pub(super) fn caller(&mut self, header: &abi::Header, caller: &abi::Caller) -> Rc<Process> {
        let key = (header.task, caller.start_time);
        let args = evidence::args(caller);
        if let Some(met) = self.met.get(&key)
            && met.comm == caller.comm
            && met.args == args
        {
            return Rc::clone(&met.process);
        }
        let mut process = evidence::process(header, caller, &self.host.clock);
        process.user = process.uid.and_then(|uid| self.host.users.name(uid));
        if let Some(alive) = self.host.describe_if_started_at(process.pid, caller.start_time) {
            process.exe = process.exe.or(alive.exe);
            process.cgroup = alive.cgroup;
            process.container = alive.container;
            process.unit = alive.unit;
            process.job = alive.job;
            if process.args_truncated || process.args.is_empty() {
                process.args = alive.args;
                process.args_truncated = alive.args_truncated;
            }
        } else {
            process.job = self.job_above(&process);
        }
        let process = Rc::new(process);
        let met = Met { comm: caller.comm, args: args.to_vec(), process: Rc::clone(&process) };
        self.met.put(key, met);
        self.latest.put((evidence::pid(header), caller.start_time), Rc::clone(&process));
        process
    }

    /// What a process that has ended worked for, as far as those above it were met while they lived.
    fn job_above(&self, process: &Process) -> Option<Job> {
        let known = |pid: u32| {
            let met = self.latest.iter().map(|(_, known)| known);
            let of_pid =
                met.chain(self.seen.iter().map(|(_, (_, known))| known)).filter(|known| known.pid == pid);
            of_pid.filter(|known| known.started <= process.started).max_by_key(|known| known.started)
        };
        let mut above = process.ancestors.iter().filter_map(|ancestor| known(ancestor.pid));
        above.find_map(|known| known.job.clone())
    }

    /// The process of a task of which the kernel said only this; at its end there is no more to say.
    pub(super) fn task(&mut self, change: &abi::Change) -> Rc<Process> {
        let pid = evidence::pid(&change.header);
        if let Some(known) = self.latest.get(&(pid, change.start_time)) {
            return Rc::clone(known);
        }
        let started = self.host.clock.at(change.start_time);
        if let Some(seeded) = self.seeded.get(&pid)
            && seeded.started.is_some_and(|told| told.duration_since(started).abs() <= START_SLACK)
        {
            return Rc::clone(seeded);
        }
        let key = (pid, change.start_time);
        if let Some((comm, process)) = self.seen.get(&key)
            && *comm == change.comm
        {
            return Rc::clone(process);
        }
        let Some(described) = self.host.describe_if_started_at(pid, change.start_time) else {
            let comm = evidence::comm(&change.comm);
            return Rc::new(Process { pid, tid: pid, comm, started: Some(started), ..Process::default() });
        };
        let process = Rc::new(described);
        self.seen.put(key, (change.comm, Rc::clone(&process)));
        process
    }

    /// Describes a process that has a socket open now: it may be gone when it matters.
    pub(super) fn seed(&mut self, pid: u32) -> Option<Rc<Process>> {
        let process = Rc::new(self.host.describe(pid)?);
        self.seeded.put(pid, Rc::clone(&process));
        Some(process)
    }

    /// A process that was seen to have a socket open a moment ago; `None` if it has ended.
    pub(super) fn alive(&mut self, pid: u32, now: Instant) -> Option<Rc<Process>> {
        self.alive.of(pid, now, || self.host.describe(pid).map(Rc::new))
    }
}
