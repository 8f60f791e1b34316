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

/// Processes that were introduced, and are remembered. The kernel half forgets the least used, not exactly the oldest.
const INTRODUCED: NonZeroUsize = NonZeroUsize::new(2 * MAX_INTRODUCED as usize).unwrap();

/// `/proc` rounds the start of a process down to a tick of 10 ms (USER_HZ).
const START_SLACK: SignedDuration = SignedDuration::from_millis(20);

/// A process as it was introduced.
#[derive(Debug)]
pub(super) struct Introduced {
    /// What the kernel said; only if that has changed, `/proc` is asked once more.
    caller: Box<abi::Caller>,
    process: Rc<Process>,
}

impl Introduced {
    /// The processes above it, nearest first.
    pub(super) fn parents(&self) -> &[abi::Parent] {
        evidence::parents(&self.caller)
    }

    /// The number of its cgroup.
    pub(super) const fn cgroup_id(&self) -> u64 {
        self.caller.cgroup_id
    }
}

/// A process between two calls of execve: its pid, its start, and how often it called execve.
type Image = (u32, u64, u32);

fn image(header: &abi::Header, identity: &abi::Identity) -> Image {
    (evidence::pid(header), identity.start_time, identity.exec_id)
}

/// The processes that were met.
#[derive(Debug)]
pub(super) struct Processes {
    pub(super) host: Host,
    /// Those that were introduced: more than the kernel half remembers.
    introduced: LruCache<Image, Introduced>,
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
            introduced: LruCache::new(INTRODUCED),
            seen: LruCache::new(REMEMBERED),
            latest: LruCache::new(REMEMBERED),
            alive: Recent::new(REMEMBERED),
            seeded: LruCache::new(REMEMBERED),
        }
    }

    /// A process that is about to be told of: it is looked at before anything else, it may be about to end.
    pub(super) fn introduced(&mut self, record: &abi::Introduction) {
        let key = image(&record.header, &record.identity);
        if self
            .introduced
            .get(&key)
            .is_some_and(|known| evidence::says_the_same(&known.caller, &record.caller))
        {
            return;
        }
        let process = Rc::new(self.described(record));
        self.latest.put((key.0, key.1), Rc::clone(&process));
        self.introduced.put(key, Introduced { caller: Box::new(record.caller), process });
    }

    /// The process that was introduced before this was said of it; `None` if its introduction found no room.
    pub(super) fn introduction(&self, header: &abi::Header, identity: &abi::Identity) -> Option<&Introduced> {
        self.introduced.peek(&image(header, identity))
    }

    /// The process inside a call, as the thread that called.
    pub(super) fn caller(&mut self, header: &abi::Header, identity: &abi::Identity) -> Rc<Process> {
        let process = match self.introduced.get(&image(header, identity)) {
            Some(known) => Rc::clone(&known.process),
            None => self.outside(evidence::pid(header), identity.start_time, &identity.comm),
        };
        let mut process = evidence::as_thread(process, header, identity);
        if process.user.is_none()
            && let Some(name) = self.host.users.name(identity.uid)
        {
            Rc::make_mut(&mut process).user = Some(name);
        }
        process
    }

    /// What the kernel says of a process, and what `/proc` adds.
    fn described(&self, record: &abi::Introduction) -> Process {
        let mut process = evidence::process(record, &self.host.clock);
        process.user = process.uid.and_then(|uid| self.host.users.name(uid));
        let Some(alive) = self.host.describe_if_started_at(process.pid, record.identity.start_time) else {
            process.job = self.job_above(&process);
            return process;
        };
        process.exe = process.exe.or(alive.exe);
        process.cgroup = alive.cgroup;
        process.container = alive.container;
        process.unit = alive.unit;
        process.job = alive.job;
        if process.args_truncated || process.args.is_empty() {
            process.args = alive.args;
            process.args_truncated = alive.args_truncated;
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
