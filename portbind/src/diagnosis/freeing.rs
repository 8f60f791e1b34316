//! Which processes have to end to free a port, and which of them must not be stopped.

pub mod binder;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use self::binder::{Decision, Member, Origin, Sign, Standing, decide, decide_accepted};
use crate::diagnosis::manager::{Manager, stop_command};
use crate::diagnosis::predict::{is_served, may_have_accepted};
use crate::diagnosis::stop_signal::master_without_socket;
use crate::event::{Holder, Ownership, Process, ShellCommand};
use crate::order::collect_sorted;

/// What to do about the sockets on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Processes to stop, by pid.
    pub targets: Vec<Target>,
    /// Why nothing is stopped, and which processes are left alone although they have one of the server's sockets open.
    pub obstacles: Vec<Obstacle>,
    /// Clients' connections that use the port as their local port: they are left alone.
    pub clients: Vec<Holder>,
}

/// A process to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The process.
    pub process: Rc<Process>,
    /// Its sockets on the port, by inode number. Empty for a master that only its workers' sockets belong to.
    pub inodes: Vec<u64>,
    /// The topmost target that it descends from: the process ends with that one, and is signalled only if it outlives
    /// it.
    pub ends_with: Option<u32>,
}

/// A reason not to stop anything, or not to stop one process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// Process 1 of the machine, or of the container that portbind runs in.
    Init(Rc<Process>),
    /// Portbind itself, or one of its ancestors.
    Own(Rc<Process>),
    /// A manager would start the process again, or holds the socket itself.
    Managed {
        /// The process.
        process: Rc<Process>,
        /// What stops the process permanently.
        manager: Manager,
    },
    /// The process was handed the socket by the process that bound it: it is left alone, and the other
    /// processes are stopped.
    Handed {
        /// The process.
        process: Rc<Process>,
        /// The evidence for that.
        sign: Sign,
    },
    /// One of several process trees that have the socket open; it is not known which tree bound it.
    Undecided(Rc<Process>),
    /// A socket that no visible process has open: it belongs to the kernel, to a process that portbind cannot see, or
    /// is in flight between two processes.
    Nobody(Box<Holder>),
}

/// The facts about the machine that the plan depends on.
pub struct Surroundings<'a> {
    /// Pids of portbind and all its ancestors.
    pub own: &'a [u32],
    /// Lowest and highest ephemeral port.
    pub ephemeral: Option<(u16, u16)>,
    /// Returns what has to stop a process.
    pub manager: &'a dyn Fn(&Process) -> Option<Manager>,
    /// Returns the facts that decide whether a process can have made a socket.
    pub standing: &'a dyn Fn(&Process) -> Standing,
    /// Returns the process with a pid.
    pub process: &'a dyn Fn(u32) -> Option<Process>,
    /// Returns the id of the cgroup that a socket was made in, by the socket's inode number.
    pub cgroup: &'a dyn Fn(u64) -> Option<u64>,
}

/// Makes the plan: for each of the server's sockets, the process tree that bound it is stopped.
#[must_use]
pub fn plan<'a>(holders: &'a [Holder], surroundings: &'a Surroundings<'a>) -> Plan {
    let mut planner = Planner::new(surroundings);
    let open = |is_connection: bool| {
        let is_open = move |holder: &&Holder| holder.ownership == Ownership::Process;
        holders.iter().filter(is_open).filter(move |holder| holder.peer.is_some() == is_connection)
    };
    let of_kernel = holders.iter().filter(|holder| holder.ownership == Ownership::Kernel);
    // The owner of a connection depends on the process that bound the listener, so listeners come first.
    for holder in open(false).chain(open(true)).chain(of_kernel) {
        if !is_served(holder, holders, surroundings.ephemeral) {
            planner.plan.clients.push(holder.clone());
        } else if holder.processes.is_empty() {
            planner.plan.obstacles.push(Obstacle::Nobody(Box::new(holder.clone())));
        } else {
            planner.add(holder);
        }
    }
    planner.finish()
}

/// A plan under construction.
struct Planner<'a> {
    surroundings: &'a Surroundings<'a>,
    plan: Plan,
    /// Listeners, and the pids of the processes that bound them.
    listeners: Vec<(&'a Holder, Vec<u32>)>,
    standings: HashMap<u32, Standing>,
    /// Processes to stop, by pid.
    targets: BTreeMap<u32, Target>,
    /// Processes that were or may have been handed a socket, by pid.
    left: BTreeMap<u32, Obstacle>,
}

impl<'a> Planner<'a> {
    fn new(surroundings: &'a Surroundings<'a>) -> Self {
        let plan = Plan { targets: Vec::new(), obstacles: Vec::new(), clients: Vec::new() };
        Self {
            surroundings,
            plan,
            listeners: Vec::new(),
            standings: HashMap::new(),
            targets: BTreeMap::new(),
            left: BTreeMap::new(),
        }
    }

    /// Adds a socket.
    fn add(&mut self, holder: &'a Holder) {
        if self.is_unit_socket(holder) {
            return;
        }
        let origin = Origin {
            uid: holder.uid,
            cgroup: holder.inode.and_then(|inode| (self.surroundings.cgroup)(inode)),
        };
        let members: Vec<Member<'_>> = holder
            .processes
            .iter()
            .map(|owner| Member { owner, standing: self.standing(&owner.process) })
            .collect();
        let listening = self.listening(holder);
        let Decision { binders, handed, undecided } = if listening.is_empty() {
            decide(&origin, &members)
        } else {
            decide_accepted(&origin, &members, &listening)
        };
        let process = |index: usize| members.get(index).map(|member| Rc::clone(&member.owner.process));
        let binders: Vec<Rc<Process>> = binders.into_iter().filter_map(process).collect();
        self.listeners.push((holder, binders.iter().map(|process| process.pid).collect()));
        for process in binders {
            self.add_master(&process, &origin);
            self.stop(process, holder.inode);
        }
        for (index, sign) in handed {
            process(index).into_iter().for_each(|process| self.leave(Obstacle::Handed { process, sign }));
        }
        for process in undecided.into_iter().filter_map(process) {
            self.leave(Obstacle::Undecided(process));
        }
    }

    /// For a connection, the pids of the processes that bound a listener which may have accepted it.
    fn listening(&self, socket: &Holder) -> BTreeSet<u32> {
        let has_accepted = |listener| socket.peer.is_some() && may_have_accepted(listener, socket);
        let accepted = self.listeners.iter().filter(|(listener, _)| has_accepted(listener));
        collect_sorted(accepted.flat_map(|(_, binders)| binders).copied())
    }

    /// Adds the master of a process that bound a socket, if the master has none itself. A user can give any process
    /// the name of a master, so the master, too, must be one that can have made the socket.
    fn add_master(&mut self, worker: &Process, origin: &Origin) {
        let Some(above) = master_without_socket(worker) else { return };
        let Some(master) = (self.surroundings.process)(above.pid) else { return };
        if origin.sign(&self.standing(&master)).is_none() {
            self.stop(Rc::new(master), None);
        }
    }

    fn stop(&mut self, process: Rc<Process>, inode: Option<u64>) {
        let new = |process| Target { process, inodes: Vec::new(), ends_with: None };
        self.targets.entry(process.pid).or_insert_with(|| new(process)).inodes.extend(inode);
    }

    /// Leaves a process alone. An obstacle that forbids the whole plan overrides one that spares a single process.
    fn leave(&mut self, obstacle: Obstacle) {
        let Some(pid) = obstacle.process().map(|process| process.pid) else { return };
        let is_known = |known: &Obstacle| known.forbids() || !obstacle.forbids();
        if !self.left.get(&pid).is_some_and(is_known) {
            self.left.insert(pid, obstacle);
        }
    }

    fn standing(&mut self, process: &Process) -> Standing {
        let ask = || (self.surroundings.standing)(process);
        self.standings.entry(process.pid).or_insert_with(ask).clone()
    }

    /// Whether systemd has the socket open for a socket unit. Then the unit has to be stopped, and no process bound the
    /// socket.
    fn is_unit_socket(&mut self, holder: &Holder) -> bool {
        let managed = |process: &Rc<Process>| {
            let manager = (self.surroundings.manager)(process)?;
            Some(Obstacle::Managed { process: Rc::clone(process), manager })
        };
        let found: Vec<Obstacle> =
            holder.processes.iter().filter_map(|owner| managed(&owner.process)).collect();
        let is_unit = found.iter().any(|obstacle| {
            let Obstacle::Managed { manager: Manager::Unit { unit, .. }, .. } = obstacle else {
                return false;
            };
            unit.ends_with(".socket")
        });
        if is_unit {
            found.into_iter().for_each(|obstacle| self.leave(obstacle));
        }
        is_unit
    }

    /// Adds the obstacles of the targets, and the processes left alone. A process that bound one of the sockets is
    /// stopped even if it was handed another one.
    fn finish(self) -> Plan {
        let Self { surroundings, mut plan, targets, left, .. } = self;
        plan.targets = targets.into_values().collect();
        let pids: BTreeSet<u32> = plan.targets.iter().map(|target| target.process.pid).collect();
        for target in &mut plan.targets {
            let mut above = target.process.ancestors.iter().rev().map(|ancestor| ancestor.pid);
            target.ends_with = above.find(|pid| pids.contains(pid));
        }
        let obstacles = plan.targets.iter().filter_map(|target| obstacle(&target.process, surroundings));
        plan.obstacles.extend(obstacles);
        for obstacle in left.into_values() {
            let is_stopped = obstacle.process().is_some_and(|process| plan.stops(process));
            if !is_stopped || obstacle.forbids() && !plan.obstacles.contains(&obstacle) {
                plan.obstacles.push(obstacle);
            }
        }
        plan
    }
}

impl Obstacle {
    /// Whether the obstacle forbids the whole plan, and not only stopping one process.
    #[must_use]
    pub const fn forbids(&self) -> bool {
        !matches!(self, Self::Handed { .. })
    }

    /// The process, if the obstacle is one.
    #[must_use]
    pub const fn process(&self) -> Option<&Rc<Process>> {
        match self {
            Self::Init(process) | Self::Own(process) | Self::Undecided(process) => Some(process),
            Self::Managed { process, .. } | Self::Handed { process, .. } => Some(process),
            Self::Nobody(_) => None,
        }
    }
}

impl Plan {
    /// Nothing may be stopped although the port has sockets.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.obstacles.iter().any(Obstacle::forbids) || self.targets.is_empty() && !self.obstacles.is_empty()
    }

    /// Whether the plan stops this process, and not another one with the same pid.
    #[must_use]
    pub fn stops(&self, process: &Process) -> bool {
        self.target(process).is_some()
    }

    /// This process as a target.
    #[must_use]
    pub fn target(&self, process: &Process) -> Option<&Target> {
        self.targets
            .iter()
            .find(|target| (target.process.pid, target.process.started) == (process.pid, process.started))
    }

    /// The targets that end with the process that started them.
    pub fn workers(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.ends_with.is_some())
    }

    /// The managers that have to stop processes, each once.
    #[must_use]
    pub fn managers(&self) -> Vec<&Manager> {
        let mut managers = Vec::new();
        for obstacle in &self.obstacles {
            if let Obstacle::Managed { manager, .. } = obstacle
                && !managers.contains(&manager)
            {
                managers.push(manager);
            }
        }
        managers
    }

    /// The command that stops everything that managers keep running. `None` if there is no such process, or if portbind
    /// knows no command for one of the managers: the remaining ones alone would not free the port.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        stop_command(&self.managers())
    }
}

fn obstacle(process: &Rc<Process>, surroundings: &Surroundings<'_>) -> Option<Obstacle> {
    let process = Rc::clone(process);
    if let Some(manager) = (surroundings.manager)(&process) {
        return Some(Obstacle::Managed { process, manager });
    }
    if process.pid <= 1 {
        return Some(Obstacle::Init(process));
    }
    surroundings.own.contains(&process.pid).then_some(Obstacle::Own(process))
}

#[cfg(test)]
#[path = "freeing_tests.rs"]
mod tests;
