//! Which processes have to end for a port to become free, and which of them must not be touched.

pub mod binder;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use self::binder::{Decision, Member, Origin, Sign, Standing, decide, decide_accepted};
use crate::diagnosis::predict::{is_served, may_have_accepted};
use crate::event::{Holder, Ownership, Process, ShellCommand};

/// What is to be done about the sockets on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Processes to be stopped, by pid.
    pub targets: Vec<Target>,
    /// Why nothing is stopped, and who is left alone though it has a socket of the server open.
    pub obstacles: Vec<Obstacle>,
    /// Connections of clients that have the port as their own local port: they are left alone.
    pub clients: Vec<Holder>,
}

/// A process to be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The process.
    pub process: Rc<Process>,
    /// Its sockets on the port, by inode number.
    pub inodes: Vec<u64>,
}

/// Something that forbids to stop anybody, or to stop one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Process 1 of the machine, or of the container that this program is in.
    Init(Rc<Process>),
    /// This program, or a process above it.
    Own(Rc<Process>),
    /// A service manager would start the process again, or holds the socket itself.
    Managed {
        /// The process.
        process: Rc<Process>,
        /// What stops it for good.
        manager: Manager,
    },
    /// It was handed the socket by whoever bound it: it is left alone, and the others are stopped.
    Handed {
        /// The process.
        process: Rc<Process>,
        /// What shows that.
        sign: Sign,
    },
    /// One of several process trees that have the socket open; which of them bound it cannot be decided.
    Undecided(Rc<Process>),
    /// A socket that no process that can be seen has open: one of the kernel, of a process that is beyond the
    /// reach of this one, or on its way between two.
    Nobody(Box<Holder>),
}

/// The unit of systemd that has to be stopped, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// The user whose own service manager has the unit; `None` where that of the system has it.
    pub user: Option<u32>,
    /// The unit.
    pub unit: String,
}

/// What of a machine the plan depends on.
pub struct Surroundings<'a> {
    /// This program and everything above it.
    pub own: &'a [u32],
    /// Lowest and highest ephemeral port.
    pub ephemeral: Option<(u16, u16)>,
    /// The unit to be stopped instead of a process.
    pub manager: &'a dyn Fn(&Process) -> Option<Manager>,
    /// What tells whether a process can have made a socket.
    pub standing: &'a dyn Fn(&Process) -> Standing,
    /// Id of the control group that a socket was made in, by the socket's inode number.
    pub cgroup: &'a dyn Fn(u64) -> Option<u64>,
}

/// Makes the plan: of each socket of the server, the process tree that bound it is stopped.
#[must_use]
pub fn plan<'a>(holders: &'a [Holder], surroundings: &'a Surroundings<'a>) -> Plan {
    let mut planner = Planner::new(surroundings);
    let open = |is_connection: bool| {
        let is_open = move |holder: &&Holder| holder.ownership == Ownership::Process;
        holders.iter().filter(is_open).filter(move |holder| holder.peer.is_some() == is_connection)
    };
    let of_kernel = holders.iter().filter(|holder| holder.ownership == Ownership::Kernel);
    // Whom a connection belongs to depends on who bound the listener.
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

/// A plan that is being made.
struct Planner<'a> {
    surroundings: &'a Surroundings<'a>,
    plan: Plan,
    /// Listeners, and the pids of those that bound them.
    listeners: Vec<(&'a Holder, Vec<u32>)>,
    standings: HashMap<u32, Standing>,
    /// Who is to be stopped, by pid.
    targets: BTreeMap<u32, Target>,
    /// Who was handed a socket, or may have been, by pid.
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
            self.stop(process, holder.inode);
        }
        for (index, sign) in handed {
            process(index).into_iter().for_each(|process| self.leave(Obstacle::Handed { process, sign }));
        }
        for process in undecided.into_iter().filter_map(process) {
            self.leave(Obstacle::Undecided(process));
        }
    }

    /// The pids of those that bound the listeners which may have accepted a socket, if that is a connection.
    fn listening(&self, socket: &Holder) -> BTreeSet<u32> {
        let has_accepted = |listener| socket.peer.is_some() && may_have_accepted(listener, socket);
        let accepted = self.listeners.iter().filter(|(listener, _)| has_accepted(listener));
        accepted.flat_map(|(_, binders)| binders).copied().collect()
    }

    fn stop(&mut self, process: Rc<Process>, inode: Option<u64>) {
        let new = |process| Target { process, inodes: Vec::new() };
        self.targets.entry(process.pid).or_insert_with(|| new(process)).inodes.extend(inode);
    }

    /// Leaves a process alone. What forbids to stop anybody counts for more than what forbids to stop the process.
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

    /// Whether systemd has it open for a socket unit. Then the unit is to be stopped, and nobody bound the socket.
    fn is_unit_socket(&mut self, holder: &Holder) -> bool {
        let managed = |process: &Rc<Process>| {
            let manager = (self.surroundings.manager)(process)?;
            Some(Obstacle::Managed { process: Rc::clone(process), manager })
        };
        let found: Vec<Obstacle> =
            holder.processes.iter().filter_map(|owner| managed(&owner.process)).collect();
        let is_unit = found.iter().any(|obstacle| {
            matches!(obstacle, Obstacle::Managed { manager, .. } if manager.unit.ends_with(".socket"))
        });
        if is_unit {
            found.into_iter().for_each(|obstacle| self.leave(obstacle));
        }
        is_unit
    }

    /// Adds what forbids to stop the targets, and who is left alone. A process that bound one of the sockets is
    /// stopped, whether or not it was handed another one.
    fn finish(self) -> Plan {
        let Self { surroundings, mut plan, targets, left, .. } = self;
        plan.targets = targets.into_values().collect();
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
    /// It forbids to stop anybody, and not only one process.
    #[must_use]
    pub const fn forbids(&self) -> bool {
        !matches!(self, Self::Handed { .. })
    }

    /// The process, if it is one.
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
    /// Nobody may be stopped, though somebody has the port.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.obstacles.iter().any(Obstacle::forbids) || self.targets.is_empty() && !self.obstacles.is_empty()
    }

    /// Whether a process is to be stopped: this one, and not another that has its number.
    #[must_use]
    pub fn stops(&self, process: &Process) -> bool {
        self.targets
            .iter()
            .any(|target| (target.process.pid, target.process.started) == (process.pid, process.started))
    }

    /// The command that stops what service managers would start again; `None` if there is nothing of that, or one of
    /// the units has a name that no service manager takes: the others alone would not free the port.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        let mut units: BTreeMap<Option<u32>, BTreeSet<&str>> = BTreeMap::new();
        for obstacle in &self.obstacles {
            if let Obstacle::Managed { manager, .. } = obstacle {
                units.entry(manager.user).or_default().insert(&manager.unit);
            }
        }
        let stop = |(user, units): (Option<u32>, BTreeSet<&str>)| {
            ShellCommand::stop_units(user, &units.into_iter().collect::<Vec<_>>())
        };
        let commands: Option<Vec<ShellCommand>> = units.into_iter().map(stop).collect();
        commands?.into_iter().reduce(|all, one| all.and(&one))
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
