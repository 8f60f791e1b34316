//! Refusals of portless sockets: a search after the refusal finds the holder of the name.

use std::rc::Rc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use portbind_abi::{self as abi, FileView};

use super::asker::Asker;
use super::gathered::{Facts, Gathered};
use super::name_answer::NameAnswer;
use super::{Enricher, Question};
use crate::diagnosis::unix::{self, Object};
use crate::event::{Confidence, Errno, Holder, Name, Process, Protocol, Socket, State};
use crate::host::clock::boot_time;
use crate::host::unix::{Likeness, Sight, namespace, namespaces, sees, sight_at};
use crate::host::unix_sockets::{PortlessSocket, Wanted, find};
use crate::host::{Host, netlink};
use crate::kernel::assemble::{AskedName, Evidence};
use crate::kernel::{evidence, name};
use crate::session::processes::Introduced;

/// File times lag behind the clock: they are the time of the last tick, and the slowest kernels have 100 ticks per
/// second.
const FILE_TIME: SignedDuration = SignedDuration::from_millis(10);

impl Enricher {
    /// Gathers the facts about the refusal of a socket with this sockaddr.
    pub(super) fn gather_portless(&mut self, evidence: &Evidence, asked: &AskedName) -> Gathered {
        let now = Instant::now();
        let record = &evidence.refusal;
        let process = self.processes.caller(&record.header, &record.identity, true);
        let socket = name::socket(&evidence.refusal.socket, &asked.sockaddr);
        let is_taken = evidence::error(evidence) == Errno::EADDRINUSE;
        let NameAnswer { holders, facts } = if is_taken {
            self.find_name(&socket, &process, record, asked, now)
        } else {
            NameAnswer::default()
        };
        let confidence = if is_taken { Confidence::Afterwards } else { Confidence::Kernel };
        Gathered { process, socket, holders, facts: Facts::Portless { unix: facts, confidence } }
    }

    /// The holders of the name and the object at the path: from the last search, if it began after the refusal.
    fn find_name(
        &mut self,
        socket: &Socket,
        process: &Rc<Process>,
        record: &abi::Refusal,
        name: &AskedName,
        now: Instant,
    ) -> NameAnswer {
        let asked = &record.socket;
        let question = Question {
            pid: process.pid,
            start_time: record.identity.start_time,
            netns: socket.netns,
            family: asked.family,
            protocol: asked.protocol,
            socket_type: asked.socket_type,
            sockaddr: name.sockaddr.as_slice().into(),
            view: name.view,
        };
        if let Some(found) = self.names_seen.after(&question, record.header.time) {
            return found;
        }
        let looked = boot_time();
        let mut found = self.find_holders(socket, process, record, &name.view, now);
        // The caller's own socket, found by an earlier search, may have been closed when the caller ended.
        if found.holders.is_empty()
            && let Some(before) = self.names_seen.last(&question).filter(|before| before.is_own(process.pid))
        {
            found = before;
        }
        self.names_seen.note(question, looked, found.clone(), found.heap_bytes());
        found
    }

    /// As [`Self::find_name`], by a new search.
    fn find_holders(
        &mut self,
        socket: &Socket,
        process: &Rc<Process>,
        record: &abi::Refusal,
        view: &FileView,
        now: Instant,
    ) -> NameAnswer {
        match &socket.name {
            Some(Name::Path(path)) => {
                let sight = self.sight(process, record, view, path);
                let holders = self.bound_to(&sight, socket, process, now);
                let Sight { object, absolute, is_ours, .. } = sight;
                NameAnswer { holders, facts: Some(unix::Facts::Path { object, absolute, is_ours }) }
            }
            Some(Name::Abstract(name)) => {
                let wanted = Wanted::Abstract(name.clone(), socket.protocol);
                let found = self.in_namespace(socket.netns, process.pid, &wanted);
                let holders = self.holders(found, socket.netns, process, now);
                NameAnswer { holders, facts: Some(unix::Facts::Abstract) }
            }
            _ => NameAnswer { holders: self.netlink(socket, process, now), facts: None },
        }
    }

    /// The object at a path as the caller saw it: through the caller, an ancestor or portbind itself, whichever sees
    /// the same files there.
    fn sight(&self, process: &Process, record: &abi::Refusal, view: &FileView, path: &[u8]) -> Sight {
        let procfs = &self.processes.host.procfs;
        let known = self.processes.introduction(&record.header, &record.identity);
        let caller = (process.pid, record.identity.start_time);
        let above = known.iter().flat_map(|known| known.parents());
        let above = above.map(|parent| (parent.pid, parent.start_time));
        let own = std::process::id();
        let seen = |(pid, start_time)| {
            let sees = sees(procfs, pid, view, path, Likeness::Same);
            sees.then(|| self.while_alive(pid, start_time, path)).flatten()
        };
        let seen_here = || sees(procfs, own, view, path, Likeness::Same).then(|| self.sight_as(own, path));
        let sight = std::iter::once(caller).chain(above).find_map(seen).or_else(seen_here);
        // On file systems that report different device numbers to different processes, no process appears to see the
        // same files.
        let is_like = |pid| sees(procfs, pid, view, path, Likeness::SameNumbers);
        let by_numbers = || is_like(caller.0).then(|| self.while_alive(caller.0, caller.1, path)).flatten();
        let in_cgroup =
            || self.in_cgroup(known?).filter(|&pid| is_like(pid)).map(|pid| self.sight_as(pid, path));
        let sight = sight.or_else(by_numbers).or_else(in_cgroup).unwrap_or(Sight::NONE);
        self.as_when_refused(sight, caller)
    }

    fn sight_as(&self, pid: u32, path: &[u8]) -> Sight {
        let Host { procfs, entrance, .. } = &self.processes.host;
        sight_at(procfs, entrance, pid, path)
    }

    /// The object at the path as seen by a process; `None` if the process ended before or during the search: its pid
    /// may have been reused, and a zombie has no root any more.
    fn while_alive(&self, pid: u32, start_time: u64, path: &[u8]) -> Option<Sight> {
        let is_alive = || self.processes.host.is_the_one_started_at(pid, start_time);
        let sight = is_alive().then(|| self.sight_as(pid, path))?;
        (is_alive() && sight.object != Object::Unseen).then_some(sight)
    }

    /// The caller's nearest living ancestor, if it is in the same cgroup and so in the same container.
    fn in_cgroup(&self, known: &Introduced) -> Option<u32> {
        let host = &self.processes.host;
        let mut parents = known.parents().iter();
        let alive = parents.find(|parent| host.is_the_one_started_at(parent.pid, parent.start_time))?;
        (host.cgroup_id(alive.pid) == Some(known.cgroup_id())).then_some(alive.pid)
    }

    /// A socket file without a bound socket may have been the caller's own, if the file was made during the caller's
    /// lifetime and the caller has ended.
    fn as_when_refused(&self, sight: Sight, (pid, start_time): (u32, u64)) -> Sight {
        let host = &self.processes.host;
        let started = host.clock.at(start_time);
        let is_older = |made: Timestamp| made.saturating_add(FILE_TIME).is_ok_and(|made| made < started);
        let is_known = sight.object != Object::StaleSocket
            || sight.made.is_some_and(is_older)
            || host.is_the_one_started_at(pid, start_time);
        if is_known { sight } else { Sight { object: Object::Socket, ..sight } }
    }

    /// The sockets bound to a live socket file. The path leads to the file from any network namespace.
    fn bound_to(
        &mut self,
        sight: &Sight,
        socket: &Socket,
        process: &Rc<Process>,
        now: Instant,
    ) -> Vec<Holder> {
        let Some(file) = sight.file.filter(|_| sight.object == Object::LiveSocket) else { return Vec::new() };
        let wanted = Wanted::File(file, sight.absolute.clone());
        let found = self.in_namespace(socket.netns, process.pid, &wanted);
        if !found.is_empty() {
            return self.holders(found, socket.netns, process, now);
        }
        let Host { procfs, entrance, .. } = &self.processes.host;
        let others = namespaces(procfs);
        let found = others.iter().flat_map(|(process, file)| find(procfs, entrance, process, file, &wanted));
        let found = found.collect();
        self.holders(found, socket.netns, process, now)
    }

    fn in_namespace(&self, netns: u32, pid: u32, wanted: &Wanted) -> Vec<PortlessSocket> {
        let Host { procfs, entrance, .. } = &self.processes.host;
        let place = namespace(procfs, netns, pid);
        place.map_or_else(Vec::new, |(process, file)| find(procfs, entrance, &process, &file, wanted))
    }

    fn netlink(&mut self, socket: &Socket, process: &Rc<Process>, now: Instant) -> Vec<Holder> {
        let (Some(Name::Netlink { port_id, .. }), Protocol::Netlink(protocol)) =
            (&socket.name, socket.protocol)
        else {
            return Vec::new();
        };
        let place = namespace(&self.processes.host.procfs, socket.netns, process.pid);
        let inode = place.and_then(|(process, _)| {
            netlink::find(&self.processes.host.procfs, &process, protocol, *port_id)
        });
        let name = Name::Netlink { port_id: *port_id, groups: 0 };
        let found = inode.map(|inode| PortlessSocket {
            inode,
            protocol: socket.protocol,
            state: State::Bound,
            name,
            file: None,
            uid: None,
            backlog: None,
        });
        self.holders(found.into_iter().collect(), socket.netns, process, now)
    }

    /// Turns the sockets of a name into holders with their owners.
    fn holders(
        &mut self,
        found: Vec<PortlessSocket>,
        netns: u32,
        process: &Rc<Process>,
        now: Instant,
    ) -> Vec<Holder> {
        let mut holders = unix::in_the_way(found.into_iter().map(PortlessSocket::holder).collect());
        self.find_owners(&mut holders, netns, Asker { process, refused: boot_time() }, now);
        holders
    }
}
