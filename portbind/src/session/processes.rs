//! Descriptions of processes: the kernel's facts, completed from `/proc` while the process lives.

use std::rc::Rc;
use std::time::Instant;

use jiff::SignedDuration;
use portbind_abi as abi;

use super::bounded::{Bounded, Usage};
use super::recent::Recent;
use crate::event::{Job, Process};
use crate::host::Host;
use crate::kernel::evidence;

/// Limits for the bytes of stored processes, including dead ones: introduced ones, ones met outside calls, and ones
/// that had sockets open when tracing began.
const INTRODUCED: usize = 768 * 1024;
const MET: usize = 512 * 1024;
const SEEDED: usize = 512 * 1024;
/// Limit for the bytes of recently described processes.
const LOOKED_AT: usize = 256 * 1024;

/// `/proc` rounds the start of a process down to a tick of 10 ms (USER_HZ).
const START_SLACK: SignedDuration = SignedDuration::from_millis(20);

/// A process as the kernel half introduced it.
#[derive(Debug)]
pub(super) struct Introduced {
    /// Number of its execve calls.
    exec_id: u32,
    /// Digest of the kernel's facts; `/proc` is read again only if the digest changes.
    digest: u64,
    /// `/proc` was not read, because there was no time.
    is_incomplete: bool,
    /// Its ancestors, nearest first.
    parents: Box<[abi::Parent]>,
    cgroup_id: u64,
    process: Rc<Process>,
}

impl Introduced {
    /// Its ancestors, nearest first.
    pub(super) fn parents(&self) -> &[abi::Parent] {
        &self.parents
    }

    /// Id of its cgroup.
    pub(super) const fn cgroup_id(&self) -> u64 {
        self.cgroup_id
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.parents) + self.process.bytes()
    }
}

/// A process, by its pid and its start in nanoseconds since boot.
type Life = (u32, u64);

/// The known processes.
#[derive(Debug)]
pub(super) struct Processes {
    pub(super) host: Host,
    /// Introduced processes, each with its latest introduction.
    introduced: Bounded<Life, Introduced>,
    /// Processes met outside calls; a description is valid until execve changes the name.
    met: Bounded<Life, ([u8; abi::COMM_LEN], Rc<Process>)>,
    /// Recently described processes.
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

    /// Introduces a process that the next records refer to. It is described first, because it may be about to end;
    /// without `looks`, the kernel's facts must suffice.
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

    /// The introduction that preceded a record with this identity; `None` if the introduction was lost.
    pub(super) fn introduction(&self, header: &abi::Header, identity: &abi::Identity) -> Option<&Introduced> {
        self.introduced.peek(&(evidence::pid(header), identity.start_time))
    }

    /// Memory use of the caches, by name.
    pub(super) const fn usage(&self) -> [(&'static str, Usage); 4] {
        [
            ("introduced", self.introduced.usage()),
            ("met", self.met.usage()),
            ("seeded", self.seeded.usage()),
            ("alive", self.alive.usage()),
        ]
    }

    /// The process that made a call, as its calling thread.
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

    /// The kernel's facts about a process, completed from `/proc`.
    fn described(&self, record: &abi::Introduction, looks: bool) -> Process {
        let mut process = evidence::process(record, &self.host.clock);
        process.user = process.uid.and_then(|uid| self.host.users.name(uid));
        let (pid, start_time) = (process.pid, record.identity.start_time);
        let alive = if looks { self.host.describe_if_started_at(pid, start_time) } else { None };
        let Some(alive) = alive else {
            process.job = self.job_above(evidence::parents(&record.caller));
            process.container = self.host.container_below(&process.ancestors).map(Box::new);
            return process;
        };
        process.exe = process.exe.or(alive.exe);
        process.cwd = alive.cwd;
        process.group = alive.group;
        for above in &mut process.ancestors {
            let same =
                alive.ancestors.iter().find(|other| other.pid == above.pid && other.comm == above.comm);
            above.runs = same.and_then(|other| other.runs.clone());
        }
        process.cgroup = alive.cgroup;
        process.container = alive.container;
        process.proxy_for = alive.proxy_for;
        process.unit = alive.unit;
        process.job = alive.job;
        if process.args_truncated || process.args.is_empty() {
            process.args = alive.args;
            process.args_truncated = alive.args_truncated;
        }
        process
    }

    /// The job of a process that has ended, if an ancestor that was met alive has one.
    fn job_above(&self, parents: &[abi::Parent]) -> Option<Box<Job>> {
        let job = |parent: &abi::Parent| {
            let life = (parent.pid, parent.start_time);
            let introduced = self.introduced.peek(&life).map(|known| &known.process);
            introduced.or_else(|| self.met.peek(&life).map(|(_, process)| process))?.job.clone()
        };
        parents.iter().find_map(job)
    }

    /// The process of the task that changed a socket.
    pub(super) fn task(&mut self, change: &abi::Change) -> Rc<Process> {
        self.outside(evidence::pid(&change.header), change.start_time, &change.comm, true)
    }

    /// A process known only by these facts; if it has ended, the description has no others.
    fn outside(&mut self, pid: u32, start_time: u64, comm: &[u8; abi::COMM_LEN], looks: bool) -> Rc<Process> {
        let life = (pid, start_time);
        if let Some(known) = self.introduced.get(&life) {
            return Rc::clone(&known.process);
        }
        let started = self.host.clock.at(start_time);
        if let Some(seeded) = self.seeded.get(&pid)
            && seeded.started.is_some_and(|shown| shown.duration_since(started).abs() <= START_SLACK)
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

    /// Describes a process that has a socket open now: it may have ended when a refusal needs it.
    pub(super) fn seed(&mut self, pid: u32) -> Option<Rc<Process>> {
        let process = Rc::new(self.host.describe(pid)?);
        self.seeded.put(pid, Rc::clone(&process), process.bytes());
        Some(process)
    }

    /// A process that was recently found to have a socket open; `None` if it has ended.
    pub(super) fn alive(&mut self, pid: u32, now: Instant) -> Option<Rc<Process>> {
        self.alive.of(pid, now, || self.host.describe(pid).map(Rc::new))
    }
}
