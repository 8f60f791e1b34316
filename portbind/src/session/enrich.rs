//! From evidence to a diagnosed refusal: finds the processes behind pids and sockets, then the cause.

mod asker;
mod branches;
mod diagnosed;
mod gathered;
mod limits;
mod name_answer;
mod owners;
mod portless;

use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portbind_abi::{self as abi, change, operation};

use self::asker::Asker;
use self::gathered::Facts;
pub(super) use self::gathered::Gathered;
use self::name_answer::NameAnswer;
use super::bounded::Usage;
use super::descriptors::Descriptors;
use super::names_seen::{NamesSeen, Question};
use super::netns_names::NetnsNames;
use super::processes::{Introduced, Processes};
use super::recent::{FRESH, Recent};
use crate::diagnosis::aftermath::Aftermath;
use crate::diagnosis::cause;
use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::history::History;
use crate::diagnosis::rule::Generation;
use crate::event::{
    Errno, Holder, Interface, Moment, MomentKind, Ownership, PortKey, PortTable, Process, Refusal, Release,
    Socket,
};
use crate::host::bind_facts::FailedCall;
use crate::host::clock::{BootClock, boot_time, tick_ns};
use crate::host::port_usage::usage;
use crate::host::{Host, Interfaces, OwnerCache, Procfs, SocketOwners, generation};
use crate::kernel::assemble::Evidence;
use crate::kernel::backend::Backend;
use crate::kernel::error::AttachError;
use crate::kernel::evidence;
use crate::kernel::owner_source::OwnerSource;
use crate::kernel::tracer::Tracer;
use crate::session::port_facts_cache::PortFactsCache;
use crate::session::port_poll::poll;
use crate::session::startup_sockets::StartupSockets;

/// Limit for the bytes of recently read names of interfaces.
const INTERFACE_NAMES: usize = 16 * 1024;

/// Completes the kernel's evidence with facts from the host, and keeps the history of ports.
#[derive(Debug)]
pub(super) struct Enricher {
    processes: Processes,
    history: History,
    aftermath: Aftermath,
    owners: OwnerCache<OwnerSource>,
    fallback: Option<AttachError>,
    startup_sockets: StartupSockets,
    netns_names: NetnsNames,
    descriptors: Descriptors,
    names_seen: NamesSeen<NameAnswer>,
    interfaces: Interfaces,
    interface_names: Recent<(u32, u32), Option<String>>,
    facts: PortFactsCache,
    generation: Generation,
    tick_ns: u64,
    /// Path of the portbind executable, if this process runs it.
    own_program: Option<OwnProgram>,
}

/// The file that this process runs.
#[derive(Debug)]
struct OwnProgram {
    path: String,
    /// Device and inode number.
    file: (u64, u64),
}

impl OwnProgram {
    /// Finds the file, if it is called portbind: a program that embeds the library tries no binds.
    fn of_process(procfs: &Procfs) -> Option<Self> {
        let pid = std::process::id();
        let path = procfs.executable(pid).filter(|path| path.ends_with("/portbind"))?;
        Some(Self { path, file: procfs.executable_file(pid)? })
    }
}

impl Enricher {
    /// Keeps at most `history_limit` port events.
    pub(super) fn new(host: Host, tracer: &Tracer, history_limit: usize) -> Self {
        let procfs = SocketOwners::new(host.procfs.clone());
        // The iterator reports pids of the initial pid namespace.
        let is_nested = host.procfs.in_initial_pid_namespace() == Some(false);
        let (source, fallback) = match (is_nested, tracer.open_sockets()) {
            (false, Ok(open_sockets)) => (OwnerSource::Kernel(open_sockets, procfs), None),
            (_, tried) => (OwnerSource::procfs(procfs), tried.err()),
        };
        Self {
            own_program: OwnProgram::of_process(&host.procfs),
            startup_sockets: StartupSockets::default(),
            owners: OwnerCache::new(source, host.procfs.clone(), FRESH),
            interfaces: Interfaces::new(&host.procfs),
            interface_names: Recent::new(INTERFACE_NAMES, |name| name.as_ref().map_or(0, String::len)),
            netns_names: NetnsNames::new(&host),
            descriptors: Descriptors::new(),
            names_seen: NamesSeen::new(),
            facts: PortFactsCache::new(),
            generation: generation(),
            tick_ns: tick_ns(),
            processes: Processes::new(host),
            history: History::new(history_limit),
            aftermath: Aftermath::default(),
            fallback,
        }
    }

    /// Memory use of the caches, by name.
    pub(super) fn usage(&self) -> Vec<(&'static str, Usage)> {
        let mut usage = self.processes.usage().to_vec();
        let (bytes, limit) = self.history.bytes();
        usage.push(("history", Usage { bytes, limit, evicted: self.history.evicted() }));
        let (bytes, limit) = self.owners.bytes();
        usage.push(("owners", Usage { bytes, limit, evicted: 0 }));
        usage.extend([("descriptors", self.descriptors.usage()), ("names", self.names_seen.usage())]);
        usage.push(("ports", self.facts.usage()));
        usage.push(("interfaces", self.interface_names.usage()));
        usage.push(("namespaces", self.netns_names.usage()));
        usage
    }

    /// Why owners of sockets are searched in `/proc` instead of by the kernel's iterator, if they are.
    pub(super) const fn fallback(&self) -> Option<&AttachError> {
        self.fallback.as_ref()
    }

    /// Lists the processes that have sockets open now, to be described one by one.
    pub(super) fn plan_startup_sockets(&mut self) {
        self.startup_sockets = StartupSockets::of(&self.owners.source().open_sockets());
    }

    /// Whether processes that had sockets open when tracing began are not described yet.
    pub(super) fn has_startup_sockets_left(&self) -> bool {
        !self.startup_sockets.is_empty()
    }

    /// Describes the next such process and records its ports: it may have ended when a refusal needs it.
    pub(super) fn describe_next_startup_socket(&mut self) {
        self.startup_sockets.describe_next(&mut self.processes, &mut self.history);
    }

    /// The history of ports.
    pub(super) const fn history(&self) -> &History {
        &self.history
    }

    /// The wall-clock time for nanoseconds since boot.
    pub(super) fn wall_time(&self, boot_ns: u64) -> Timestamp {
        self.processes.host.clock.at(boot_ns)
    }

    /// The clock that converts nanoseconds since boot to wall-clock time.
    pub(super) const fn clock(&self) -> BootClock {
        self.processes.host.clock
    }

    /// Announces a process that the next records refer to; `looks`: there is time to read `/proc`.
    pub(super) fn introduced(&mut self, record: &abi::Introduction, looks: bool) {
        self.processes.introduced(record, looks);
    }

    /// A socket was bound; `looks` as in [`Self::introduced`].
    pub(super) fn bound(&mut self, record: &abi::Bound, looks: bool) {
        let process = self.processes.caller(&record.header, &record.identity, looks);
        let what = if record.operation == operation::AUTOBIND {
            MomentKind::Connected
        } else {
            MomentKind::Bound { any: record.asked_port == 0 }
        };
        self.push(&record.header, &record.endpoint, what, Some(process));
    }

    /// Records a change of a socket. Returns the ports that became free by it.
    pub(super) fn changed(&mut self, record: &abi::Change) -> Vec<Release> {
        let object = record.endpoint.id;
        let what = match record.what {
            change::LISTENING => MomentKind::Listening,
            change::LEAVING => MomentKind::Leaving,
            change::CLOSED => MomentKind::Closed,
            change::CONNECTED => MomentKind::Connected,
            _ => {
                let process = self.processes.task(record);
                self.history.connecting(object, process);
                return Vec::new();
            }
        };
        let process = match what {
            MomentKind::Listening | MomentKind::Leaving => Some(self.processes.task(record)),
            MomentKind::Connected => self.history.connected(object),
            // TCP may release the port in the context of any process.
            _ if evidence::port_key(&record.endpoint).table == PortTable::Tcp => None,
            _ => Some(self.processes.task(record)),
        };
        let key = evidence::port_key(&record.endpoint);
        let is_own = evidence::pid(&record.header) == std::process::id();
        // The history leaves out ports that portbind itself tried, but not the end of another process's socket.
        if !is_own || self.history.opening(key, evidence::socket_id(&record.endpoint)).is_some() {
            self.push(&record.header, &record.endpoint, what, process);
        }
        if what != MomentKind::Closed {
            return Vec::new();
        }
        let time = self.processes.host.clock.at(record.header.time);
        self.aftermath.closed(key, evidence::socket_id(&record.endpoint), time)
    }

    /// Whether the end of a socket must be reported at once.
    pub(super) fn awaits_ends(&self) -> bool {
        self.aftermath.awaits_ends()
    }

    /// The ports found to be free by now: a TIME_WAIT socket has ended, or a poll found the port free.
    pub(super) fn due(&mut self) -> Vec<Release> {
        let Self { aftermath, processes, .. } = self;
        let now = processes.host.clock.at(boot_time());
        let mut free = aftermath.due(now);
        for port in aftermath.poll_targets(now) {
            let found = poll(&processes.host, &port);
            let now = processes.host.clock.at(boot_time());
            free.extend(aftermath.polled(port.key, found.as_deref(), now));
        }
        free
    }

    /// Time until the next TIME_WAIT socket in the way of a refusal ends, or the next poll is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let now = self.processes.host.clock.at(boot_time());
        let left = self.aftermath.next_due()?.duration_since(now);
        Some(Duration::try_from(left).unwrap_or_default())
    }

    fn push(
        &mut self,
        header: &abi::Header,
        endpoint: &abi::Endpoint,
        what: MomentKind,
        process: Option<Rc<Process>>,
    ) {
        let (address, peer) = evidence::ends(endpoint);
        let time = Some(self.processes.host.clock.at(header.time));
        let moment = Moment { time, what, process, socket: evidence::socket_id(endpoint), address, peer };
        self.history.push(evidence::port_key(endpoint), moment);
    }

    /// Gathers the facts about a refused call: the processes behind its pids and sockets, and what else decides its
    /// cause.
    pub(super) fn gather(&mut self, evidence: &Evidence) -> Gathered {
        if let Some(name) = &evidence.name {
            return self.gather_portless(evidence, name);
        }
        let now = Instant::now();
        let record = &evidence.refusal;
        let mut process = self.processes.caller(&record.header, &record.identity, true);
        let mut socket = evidence::socket(&record.socket);
        let key = evidence::asked_port(evidence);
        let mut holders = evidence::holders(evidence, self.tick_ns);
        for holder in &mut holders {
            self.remember(key, holder);
        }
        self.name_interface(socket.netns, &mut socket.interface, now);
        socket.netns_name = self.netns_names.of(&self.processes.host, socket.netns, &process, now);
        let error = evidence::error(evidence);
        let bind_facts = self.processes.host.bind_facts(&FailedCall {
            error,
            pid: process.pid,
            start_boot_ns: record.identity.start_time,
            uid: record.identity.uid,
            socket: &socket,
            state: evidence::socket_state(evidence),
            has_port: record.socket.own_port != 0,
            parents: &self.parents(record),
        });
        let ports = self.ports(error, &process, &socket, now);
        // Sockets in the way come first: beyond the limit, only other sockets lack a description.
        cause::find_conflicts(&self.case(evidence, &process, &socket), &mut holders);
        self.find_owners(
            &mut holders,
            socket.netns,
            Asker { process: &process, refused: record.header.time },
            now,
        );
        Self::add_caller(&mut holders, evidence, &process);
        self.descriptors.read_options(&self.processes.host.procfs, &mut holders, now);
        self.read_branches(&mut process, &mut holders);
        Gathered { process, socket, holders, facts: Facts::Port { key, ports, bind_facts } }
    }

    /// Starts watching the port of a shown refusal. Returns the ports that became free before that.
    pub(super) fn shown(&mut self, refusal: &Refusal, backend: Backend) -> Vec<Release> {
        let Socket { netns, protocol, port, .. } = refusal.socket;
        let key = PortKey { netns, table: PortTable::of(protocol), port };
        let Self { aftermath, history, .. } = self;
        aftermath.watch(key, refusal, backend.reports_ends());
        // A refusal that waited in the queue may be shown after later events.
        let later = history.of(key).iter().filter(|moment| moment.what == MomentKind::Closed);
        let later = later.filter_map(|moment| Some((moment.socket, moment.time?)));
        let later: Vec<_> = later.filter(|(_, time)| *time > refusal.time).collect();
        later.into_iter().flat_map(|(socket, time)| aftermath.closed(key, socket, time)).collect()
    }

    /// The caller's ancestors, by pid and start.
    fn parents(&self, record: &abi::Refusal) -> Vec<(u32, u64)> {
        let known = self.processes.introduction(&record.header, &record.identity);
        let parents = known.into_iter().flat_map(Introduced::parents);
        parents.map(|parent| (parent.pid, parent.start_time)).collect()
    }

    /// Port settings and use for the request of the caller.
    fn ports(&mut self, error: Errno, process: &Process, socket: &Socket, now: Instant) -> PortFacts {
        if error != Errno::EADDRINUSE && error != Errno::EAGAIN {
            return PortFacts::default();
        }
        let Self { facts, processes, owners, .. } = self;
        let procfs = &processes.host.procfs;
        facts.of(&processes.host, process.pid, socket, now, |range| {
            let comm = |pid| processes.host.describe(pid).map(|process| process.comm);
            usage(procfs, process.pid, socket.protocol, range, |inodes| owners.find(inodes, now, now), comm)
        })
    }

    /// Adds the recorded history to a holder.
    fn remember(&self, key: PortKey, holder: &mut Holder) {
        if let Some(opening) = self.history.opening(key, holder.id) {
            holder.opened_by.clone_from(&opening.process);
            holder.since = opening.time;
        }
        if matches!(holder.ownership, Ownership::TimeWait | Ownership::Orphan)
            && let Some(peer) = holder.peer
            && let Some(leaving) = self.history.leaving(key, holder.address, peer)
        {
            holder.left_by.clone_from(&leaving.process);
        }
    }

    fn name_interface(&mut self, netns: u32, interface: &mut Option<Interface>, now: Instant) {
        if let Some(interface) = interface {
            let Host { procfs, entrance, .. } = &self.processes.host;
            let name = || self.interfaces.name(procfs, entrance, netns, interface.index);
            interface.name = self.interface_names.of((netns, interface.index), now, name);
        }
    }
}
