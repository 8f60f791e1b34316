//! Who the processes are: what the kernel said of them, and what `/proc` adds while they live.

use std::rc::Rc;
use std::time::Instant;

use jiff::SignedDuration;
use portbind_abi as abi;

use super::bounded::{Bounded, Usage};
use super::recent::Recent;
use crate::event::{Job, Process};
use crate::host::Host;
use crate::kernel::evidence;

/// Bytes of processes that are remembered: those that were introduced, those that were met outside calls, and those
/// that had sockets open when tracing began. Dead ones are among them.
const INTRODUCED: usize = 768 * 1024;
const MET: usize = 512 * 1024;
const SEEDED: usize = 512 * 1024;
/// Bytes of processes that were looked at a moment ago.
const LOOKED_AT: usize = 256 * 1024;

/// `/proc` rounds the start of a process down to a tick of 10 ms (USER_HZ).
const START_SLACK: SignedDuration = SignedDuration::from_millis(20);

/// A process as it was introduced.
#[derive(Debug)]
pub(super) struct Introduced {
    /// How often it had called execve.
    exec_id: u32,
    /// Of what the kernel said; only if that has changed, `/proc` is asked once more.
    digest: u64,
    /// `/proc` was not asked: there was no time for it.
    is_incomplete: bool,
    /// The processes above it, nearest first.
    parents: Box<[abi::Parent]>,
    cgroup_id: u64,
    process: Rc<Process>,
}

impl Introduced {
    /// The processes above it, nearest first.
    pub(super) fn parents(&self) -> &[abi::Parent] {
        &self.parents
    }

    /// The number of its cgroup.
    pub(super) const fn cgroup_id(&self) -> u64 {
        self.cgroup_id
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.parents) + self.process.bytes()
    }
}

/// A process, by its pid and its start in nanoseconds since boot.
type Life = (u32, u64);

/// The processes that were met.
#[derive(Debug)]
pub(super) struct Processes {
    pub(super) host: Host,
    /// Those that were introduced, as they were last.
    introduced: Bounded<Life, Introduced>,
    /// Those that were met outside calls; a description holds until execve changes the name.
    met: Bounded<Life, ([u8; abi::COMM_LEN], Rc<Process>)>,
    /// Those that were looked at a moment ago.
    alive: Recent<u32, Option<Rc<Process>>>,
    /// Processes that had sockets open when tracing began.
    seeded: Bounded<u32, Rc<Process>>,
}

impl Processes {
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            introduced: Bounded::new(INTRODUCED),
            met: Bounded::new(MET),
            alive: Recent::new(LOOKED_AT, |process| process.as_ref().map_or(0, |process| process.bytes())),
            seeded: Bounded::new(SEEDED),
        }
    }

    /// A process that is about to be told of: it is looked at before anything else, it may be about to end. Where it
    /// is not to be looked at, what the kernel said of it has to do.
    pub(super) fn introduced(&mut self, record: &abi::Introduction, looks: bool) {
        let life = (evidence::pid(&record.header), record.identity.start_time);
        let (exec_id, digest) = (record.identity.exec_id, evidence::digest(&record.caller));
        let is_known = |known: &Introduced| (known.exec_id, known.digest) == (exec_id, digest);
        let known = self.introduced.get(&life).filter(|known| is_known(known));
        if known.is_some_and(|known| !(known.is_incomplete && looks)) {
            return;
        }
        let introduced = Introduced {
            exec_id,
            digest,
            is_incomplete: !looks,
            parents: evidence::parents(&record.caller).into(),
            cgroup_id: record.caller.cgroup_id,
            process: Rc::new(self.described(record, looks)),
        };
        let bytes = introduced.bytes();
        self.introduced.put(life, introduced, bytes);
    }

    /// The process that was introduced before this was said of it; `None` if its introduction found no room.
    pub(super) fn introduction(&self, header: &abi::Header, identity: &abi::Identity) -> Option<&Introduced> {
        self.introduced.peek(&(evidence::pid(header), identity.start_time))
    }

    /// What the caches of processes keep, by name.
    pub(super) const fn usage(&self) -> [(&'static str, Usage); 4] {
        [
            ("introduced", self.introduced.usage()),
            ("met", self.met.usage()),
            ("seeded", self.seeded.usage()),
            ("alive", self.alive.usage()),
        ]
    }

    /// The process inside a call, as the thread that called.
    pub(super) fn caller(
        &mut self,
        header: &abi::Header,
        identity: &abi::Identity,
        looks: bool,
    ) -> Rc<Process> {
        let process = self.outside(evidence::pid(header), identity.start_time, &identity.comm, looks);
        let mut process = evidence::as_thread(process, header, identity);
        if process.user.is_none()
            && let Some(name) = self.host.users.name(identity.uid)
        {
            Rc::make_mut(&mut process).user = Some(name);
        }
        process
    }

    /// What the kernel says of a process, and what `/proc` adds.
    fn described(&self, record: &abi::Introduction, looks: bool) -> Process {
        let mut process = evidence::process(record, &self.host.clock);
        process.user = process.uid.and_then(|uid| self.host.users.name(uid));
        let (pid, start_time) = (process.pid, record.identity.start_time);
        let alive = if looks { self.host.describe_if_started_at(pid, start_time) } else { None };
        let Some(alive) = alive else {
            process.job = self.job_above(evidence::parents(&record.caller));
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
    fn job_above(&self, parents: &[abi::Parent]) -> Option<Box<Job>> {
        let job = |parent: &abi::Parent| {
            let life = (parent.pid, parent.start_time);
            let introduced = self.introduced.peek(&life).map(|known| &known.process);
            introduced.or_else(|| self.met.peek(&life).map(|(_, process)| process))?.job.clone()
        };
        parents.iter().find_map(job)
    }

    /// The process of a task that changed a socket.
    pub(super) fn task(&mut self, change: &abi::Change) -> Rc<Process> {
        self.outside(evidence::pid(&change.header), change.start_time, &change.comm, true)
    }

    /// A process of which the kernel said only this; at its end there is no more to say.
    fn outside(&mut self, pid: u32, start_time: u64, comm: &[u8; abi::COMM_LEN], looks: bool) -> Rc<Process> {
        let life = (pid, start_time);
        if let Some(known) = self.introduced.get(&life) {
            return Rc::clone(&known.process);
        }
        let started = self.host.clock.at(start_time);
        if let Some(seeded) = self.seeded.get(&pid)
            && seeded.started.is_some_and(|told| told.duration_since(started).abs() <= START_SLACK)
        {
            return Rc::clone(seeded);
        }
        if let Some((known, process)) = self.met.get(&life)
            && known == comm
        {
            return Rc::clone(process);
        }
        let described = if looks { self.host.describe_if_started_at(pid, start_time) } else { None };
        let Some(described) = described else {
            let comm = evidence::comm(comm);
            return Rc::new(Process { pid, tid: pid, comm, started: Some(started), ..Process::default() });
        };
        let process = Rc::new(described);
        self.met.put(life, (*comm, Rc::clone(&process)), process.bytes());
        process
    }

    /// Describes a process that has a socket open now: it may be gone when it matters.
    pub(super) fn seed(&mut self, pid: u32) -> Option<Rc<Process>> {
        let process = Rc::new(self.host.describe(pid)?);
        self.seeded.put(pid, Rc::clone(&process), process.bytes());
        Some(process)
    }

    /// A process that was seen to have a socket open a moment ago; `None` if it has ended.
    pub(super) fn alive(&mut self, pid: u32, now: Instant) -> Option<Rc<Process>> {
        self.alive.of(pid, now, || self.host.describe(pid).map(Rc::new))
    }
}
