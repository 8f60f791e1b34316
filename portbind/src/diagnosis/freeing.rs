//! Which processes have to end for a port to become free, and which of them must not be touched.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::event::{Holder, Ownership, Process};
use super::foresight::is_served;
use super::shell_command::ShellCommand;

/// What is to be done about the sockets on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Processes to be stopped, by pid.
    pub targets: Vec<Target>,
    /// Why nothing is stopped.
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

/// Something that forbids to stop anybody.
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
}

/// Makes the plan: everybody who has a socket of the server open is stopped, the whole of a forked family.
#[must_use]
pub fn plan(holders: &[Holder], surroundings: &Surroundings<'_>) -> Plan {
    let mut plan = Plan::default();
    let open = holders.iter().filter(|holder| holder.ownership == Ownership::Process);
    for holder in open.chain(holders.iter().filter(|holder| holder.ownership == Ownership::Kernel)) {
        if !is_served(holder, holders, surroundings.ephemeral) {
            plan.clients.push(holder.clone());
        } else if holder.processes.is_empty() {
            plan.obstacles.push(Obstacle::Nobody(Box::new(holder.clone())));
        } else {
            plan.add(holder);
        }
    }
    plan.targets.sort_by_key(|target| target.process.pid);
    let obstacles = plan.targets.iter().filter_map(|target| obstacle(&target.process, surroundings));
    plan.obstacles.extend(obstacles.collect::<Vec<_>>());
    plan
}

impl Plan {
    fn add(&mut self, holder: &Holder) {
        for owner in &holder.processes {
            let known = self.targets.iter_mut().find(|target| target.process.pid == owner.process.pid);
            match known {
                Some(target) => target.inodes.extend(holder.inode),
                None => self.targets.push(Target {
                    process: Rc::clone(&owner.process),
                    inodes: holder.inode.into_iter().collect(),
                }),
            }
        }
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
