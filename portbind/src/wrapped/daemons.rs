//! Daemons that may work for the wrapped command, and its clients of them.
//!
//! `docker run` binds no port: a daemon does, which is no descendant of the command. The kernel half follows such
//! daemons like the command; here their refusals are distinguished, and joined to the client that asked for them. No
//! daemon is queried.

use std::collections::HashSet;

use crate::diagnosis::clients::{Client, Row, daemons, is_service_of_podman, may_be_client, may_run_client};
use crate::event::units::is_service;
use crate::event::{Asking, OnBehalf, Process, Refusal, Repeat};
use crate::host::Host;

/// The most processes of daemons that are followed.
const MOST_PROCESSES: usize = 512;
/// The most clients that are remembered.
const MOST_CLIENTS: usize = 64;
/// The most descendants whose names are read at once.
const MOST_AT_ONCE: usize = 1024;
/// The most descendants of the command that are looked at, in one run.
const MOST_LOOKS: usize = 4096;
/// The most processes whose refusals are remembered to be a daemon's.
const MOST_REFUSED: usize = 4096;

/// The daemons on this machine, the command, and its clients.
#[derive(Debug, Default)]
pub(crate) struct Daemons {
    /// Processes of daemons, by pid.
    processes: Vec<(u32, &'static Row)>,
    command: u32,
    /// The ancestors of the command, and the container and unit that it runs in.
    above: Vec<u32>,
    place: Place,
    clients: Vec<Client>,
    looked_at: HashSet<u32>,
    /// Refused processes of daemons that no client asked, and of daemons without any client.
    others: HashSet<u32>,
    hidden: HashSet<u32>,
}

/// The container and the unit of a process.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    container: Option<String>,
    unit: Option<String>,
}

impl Place {
    fn of(process: &Process) -> Self {
        Self {
            container: process.container.as_ref().map(|container| container.id.clone()),
            unit: process.unit.clone(),
        }
    }
}

/// Whose refusal it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The command's, or a descendant's.
    Command,
    /// A daemon's, while a client of the command was there.
    Daemon(OnBehalf),
    /// A daemon's that the command did not ask for anything.
    Other,
}

impl Daemons {
    /// The daemons that run now, beside a command that is about to run in this process.
    #[must_use]
    pub(crate) fn beside(host: &Host, command: u32, args: &[String]) -> Self {
        let named = |pid: u32| {
            let comm = host.comm(pid)?;
            Some((pid, daemons(&comm).next()?))
        };
        let mut processes: Vec<_> = host.pids().into_iter().filter_map(named).take(MOST_PROCESSES).collect();
        let serves = |pid: u32| {
            host.describe(pid).is_some_and(|process| is_service_of_podman(&process.comm, &process.args))
        };
        // Without that service, the containers of podman descend from the command that starts them.
        if !processes.iter().any(|(pid, row)| row.daemon == "podman" && serves(*pid)) {
            processes.retain(|(_, row)| row.daemon != "podman");
        }
        Self {
            processes,
            command,
            above: host.lineage(command),
            place: host.describe(command).as_ref().map(Place::of).unwrap_or_default(),
            clients: Client::of(command, args).into_iter().collect(),
            ..Self::default()
        }
    }

    /// The pids of their processes.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(|(pid, _)| *pid)
    }

    /// Whether there is any.
    #[must_use]
    pub(crate) fn is_any(&self) -> bool {
        !self.processes.is_empty()
    }

    /// Looks for clients among the descendants of the command, and of the daemons; among interpreters only if asked to,
    /// because a description takes time and a suite of tests may start thousands of them.
    pub(crate) fn find_clients(&mut self, descendants: &[u32], interpreters: bool, host: &Host) {
        for &pid in descendants.iter().take(MOST_AT_ONCE) {
            let is_full = self.looked_at.len() >= MOST_LOOKS || self.clients.len() >= MOST_CLIENTS;
            if is_full || self.pids().any(|daemon| daemon == pid) || self.looked_at.contains(&pid) {
                continue;
            }
            let comm = host.comm(pid).unwrap_or_default();
            let is_candidate = may_be_client(&comm) || interpreters && may_run_client(&comm);
            if !is_candidate {
                // It is looked at again: it may still execute a client.
                continue;
            }
            self.looked_at.insert(pid);
            let process = host.describe(pid).filter(|process| self.daemon_of(process).is_none());
            let client = process.and_then(|process| Client::of(pid, &process.args));
            self.clients
                .extend(client.filter(|client| self.clients.iter().all(|known| known.pid != client.pid)));
        }
    }

    /// Whether clients are worth a search: systemd's explain nothing but refusals, which start a search.
    #[must_use]
    pub(crate) fn has_clients_to_find(&self) -> bool {
        self.processes.iter().any(|(_, row)| row.has_allocator)
    }

    /// Its clients of daemons, in the order in which they were seen.
    pub(crate) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Whose refusal it is.
    pub(crate) fn whose(
        &mut self,
        refusal: &Refusal,
        descendants: impl FnOnce() -> Vec<u32>,
        host: &Host,
    ) -> Whose {
        let process = &*refusal.process;
        let Some(row) = self.daemon_of(process) else { return Whose::Command };
        self.find_clients(&descendants(), true, host);
        // The names of two daemons stand for one where they share processes, as containerd's.
        let mut clients = self.clients.iter().rev().filter(|client| is_served(client, row));
        let client: Option<Asking> =
            clients.clone().find_map(|client| client.asked(process, refusal.socket.port));
        let is_asked = clients.next().is_some();
        let remembered = if is_asked { &mut self.others } else { &mut self.hidden };
        if client.is_none() && remembered.len() < MOST_REFUSED {
            remembered.insert(process.pid);
        }
        if is_asked { Whose::Daemon(OnBehalf::new(row.daemon, client)) } else { Whose::Other }
    }

    /// Whether repeated refusals are those of a daemon that the command did not ask for anything.
    pub(crate) fn hides(&self, repeat: &Repeat) -> bool {
        self.hidden.contains(&repeat.process.pid)
    }

    /// Whether repeated refusals are those of a daemon, and no client is known to have asked for them.
    pub(crate) fn is_of_others(&self, repeat: &Repeat) -> bool {
        self.others.contains(&repeat.process.pid)
    }

    /// Whether a process, by its pid, is or belongs to a daemon.
    pub(crate) fn has(&self, pid: u32, host: &Host) -> bool {
        self.is_any()
            && (self.pids().any(|daemon| daemon == pid)
                || host.describe(pid).is_some_and(|process| self.daemon_of(&process).is_some()))
    }

    fn follows(&self, row: &Row) -> bool {
        self.processes.iter().any(|(_, other)| other.daemon == row.daemon)
    }

    /// The daemon that a process is, or belongs to.
    fn daemon_of(&self, process: &Process) -> Option<&'static Row> {
        let is_commands = |pid: u32| pid == self.command;
        if !self.is_any() || is_commands(process.pid) {
            return None;
        }
        if let Some((_, row)) = self.processes.iter().find(|(pid, _)| *pid == process.pid) {
            return Some(row);
        }
        // A daemon above the command, as systemd is, is above what the command started and left, too.
        let is_elsewhere = Place::of(process) != self.place;
        for above in &process.ancestors {
            if is_commands(above.pid) {
                return None;
            }
            let followed = self.processes.iter().find(|(pid, _)| *pid == above.pid).map(|(_, row)| *row);
            // What a daemon starts later is known by its name.
            let named = || daemons(&above.comm).find(|row| above.pid > 1 && self.follows(row));
            let is_its = |row: &&Row| match row.daemon {
                // systemd is above all that left its parent, also above containers that the command started.
                "systemd" => is_elsewhere && is_of_service(process),
                _ => is_elsewhere || !self.above.contains(&above.pid),
            };
            if let Some(row) = followed.or_else(named).filter(is_its) {
                return Some(row);
            }
        }
        None
    }
}

fn is_of_service(process: &Process) -> bool {
    process.container.is_none() && process.unit.as_deref().is_some_and(is_service)
}

/// Whether a client asks this daemon; all runtimes of containers have processes of containerd below them.
fn is_served(client: &Client, row: &Row) -> bool {
    const RUNTIMES: [&str; 3] = ["dockerd", "podman", "kubelet"];
    let is_runtime = |daemon: &str| RUNTIMES.contains(&daemon);
    client.row.daemon == row.daemon || is_runtime(client.row.daemon) && is_runtime(row.daemon)
}

#[cfg(test)]
#[path = "daemons_tests.rs"]
mod tests;
