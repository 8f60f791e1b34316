//! Who the processes are: what the kernel said of them, and what `/proc` adds while they live.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Instant;

use jiff::SignedDuration;
use lru::LruCache;
use portbind_ebpf::abi::{self, MAX_INTRODUCED};

use super::recent::Recent;
use crate::diagnosis::event::{Job, Process};
use crate::host::Host;
use crate::kernel::evidence;

/// Processes that are remembered, dead ones included.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Processes that bound sockets, and are remembered. The kernel half forgets the least used, not exactly the oldest.
const INTRODUCED: NonZeroUsize = NonZeroUsize::new(2 * MAX_INTRODUCED as usize).unwrap();

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
    /// Those that bound sockets, by pid, start and number of execve: more than the kernel half remembers to have
    /// introduced.
    introduced: LruCache<(u32, u64, u64), Rc<Process>>,
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
            introduced: LruCache::new(INTRODUCED),
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

    /// A process that is about to be told to have bound a socket.
    pub(super) fn introduced(&mut self, record: &abi::Introduction) {
        let process = self.caller(&record.header, &record.caller);
        let key = (evidence::pid(&record.header), record.caller.start_time, record.exec_id);
        self.introduced.put(key, process);
    }

    /// The process that bound a socket.
    pub(super) fn binder(&mut self, record: &abi::Bound) -> Rc<Process> {
        let pid = evidence::pid(&record.header);
        let known = self.introduced.get(&(pid, record.start_time, record.exec_id));
        let process = match known {
            Some(known) => Rc::clone(known),
            // Its introduction found no room.
            None => self.outside(pid, record.start_time, &record.comm),
        };
        let mut process = evidence::as_binder(process, record);
        if process.user.is_none()
            && let Some(name) = self.host.users.name(record.uid)
        {
            Rc::make_mut(&mut process).user = Some(name);
        }
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

    /// The process of a task that changed a socket.
    pub(super) fn task(&mut self, change: &abi::Change) -> Rc<Process> {
        self.outside(evidence::pid(&change.header), change.start_time, &change.comm)
    }

    /// A process of which the kernel said only this; at its end there is no more to say.
    fn outside(&mut self, pid: u32, start_time: u64, comm: &[u8; abi::COMM_LEN]) -> Rc<Process> {
        if let Some(known) = self.latest.get(&(pid, start_time)) {
            return Rc::clone(known);
        }
        let started = self.host.clock.at(start_time);
        if let Some(seeded) = self.seeded.get(&pid)
            && seeded.started.is_some_and(|told| told.duration_since(started).abs() <= START_SLACK)
        {
            return Rc::clone(seeded);
        }
        let key = (pid, start_time);
        if let Some((known, process)) = self.seen.get(&key)
            && known == comm
        {
            return Rc::clone(process);
        }
        let Some(described) = self.host.describe_if_started_at(pid, start_time) else {
            let comm = evidence::comm(comm);
            return Rc::new(Process { pid, tid: pid, comm, started: Some(started), ..Process::default() });
        };
        let process = Rc::new(described);
        self.seen.put(key, (*comm, Rc::clone(&process)));
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
