//! What keeps a process running, and has to stop it: a systemd unit, a container, a supervisor.
//!
//! This is the only place that decides it, for refusals, `check`, `who`, `free` and reports alike: a process that a
//! manager would start again is stopped by its manager.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{file_name, is_installed, is_interpreter};
use crate::escape::Escaped;
use crate::event::units::{is_service, user_of_cgroup};
use crate::event::{Container, Process, Runtime, ShellCommand};

/// What keeps a process running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manager {
    /// A systemd unit, and the user whose own service manager runs it; `None` for the system's service manager.
    Unit {
        /// The user.
        user: Option<u32>,
        /// The unit.
        unit: String,
    },
    /// A container.
    Container {
        /// The container.
        container: Container,
        /// The process serves the container's published port from outside.
        is_proxy: bool,
        /// The user whose runtime runs the container; `None` for root's.
        user: Option<u32>,
    },
    /// A container that is not known, whose published port the process serves for this runtime.
    PublishedPort(Runtime),
    /// A process above, which would start the process again.
    Supervisor {
        /// Its name.
        name: &'static str,
        /// The command that lists its programs.
        listing: &'static str,
        /// The process that the supervisor started; `None` if the supervisor itself has the socket open for its
        /// programs.
        program: Option<u32>,
    },
}

/// Services that run other programs: the unit is the manager of its daemon, and not of what the daemon starts.
const HOSTS: [&str; 22] = [
    "cron",
    "crond",
    "cronie",
    "atd",
    "ssh",
    "sshd",
    "docker",
    "containerd",
    "podman",
    "crio",
    "kubelet",
    "k3s",
    "libvirtd",
    "supervisor",
    "supervisord",
    "getty",
    "serial-getty",
    "gdm",
    "sddm",
    "lightdm",
    "jenkins",
    "buildkite-agent",
];
/// Services of CI runners, by the start of their names: they run jobs.
const RUNNERS: [&str; 5] = ["actions.runner.", "gitlab-runner", "forgejo-runner", "act_runner", "pm2-"];
/// Programs that serve the published ports of containers.
const PROXIES: [(&str, Runtime); 3] =
    [("docker-proxy", Runtime::Docker), ("rootlessport", Runtime::Podman), ("conmon", Runtime::Podman)];
/// Where a machine's administrator installs other programs.
const OF_ADMINISTRATOR: [&str; 2] = ["/opt/", "/var/lib/snapd/"];
/// A supervisor of programs.
struct SupervisorRow {
    /// The start of its name as a process.
    process: &'static str,
    name: &'static str,
    /// The command that lists its programs, with their pids.
    listing: &'static str,
    /// It binds the sockets of its programs itself, as pm2 does for clusters of node.
    binds: bool,
}

const SUPERVISORS: [SupervisorRow; 2] = [
    SupervisorRow {
        process: "supervisord",
        name: "supervisord",
        listing: "supervisorctl status",
        binds: false,
    },
    SupervisorRow { process: "PM2 ", name: "pm2", listing: "pm2 list", binds: true },
];

impl Manager {
    /// What has to stop a process; `None` if ending the process is enough. `asker` is the process for which the
    /// process is to make room: what both belong to is not stopped.
    #[must_use]
    pub fn of(process: &Process, asker: Option<&Process>) -> Option<Self> {
        if let Some(manager) = of_container(process, asker) {
            return Some(manager);
        }
        if let Some(runtime) = proxy_of(process) {
            return Some(Self::PublishedPort(runtime));
        }
        of_supervisor(process, asker).or_else(|| of_unit(process, asker))
    }

    /// What to do about a process that holds `port`, in a few words without the command.
    fn advice(&self, port: Option<u16>) -> String {
        match self {
            Self::Unit { unit, .. } if unit.ends_with(".socket") => {
                format!("stop {}, for which systemd itself listens", Escaped(unit))
            }
            Self::Unit { unit, .. } => format!("stop the unit {}", Escaped(unit)),
            Self::Container { container, is_proxy, user } => {
                let label = Escaped(container.label()).to_string();
                let pod = container.pod.as_ref().and_then(|pod| pod.name.as_ref().or(pod.uid.as_ref()));
                if let Some(pod) = pod {
                    return format!("stop the pod {}, in which the container {label} runs", Escaped(pod));
                }
                let whose = user.map_or_else(String::new, |uid| format!(" of user {uid}"));
                let published = if *is_proxy { ", which publishes the port" } else { "" };
                let nested = match container.is_nested && user.is_none() {
                    true => ", which the runtime of this machine is not known to have started",
                    false => "",
                };
                format!("stop the container {label}{whose}{published}{nested}")
            }
            Self::PublishedPort(runtime) => {
                let list = match (runtime, port) {
                    (Runtime::Docker, Some(port)) => format!(" (docker ps --filter publish={port} shows it)"),
                    (Runtime::Podman, Some(_)) => " (podman port --all lists them)".to_owned(),
                    _ => String::new(),
                };
                format!("stop the container that publishes the port{list}, and not its proxy")
            }
            Self::Supervisor { name, listing, program: Some(pid) } => {
                format!(
                    "stop it through {name}, which would start it again: {listing} shows it with pid {pid}"
                )
            }
            Self::Supervisor { name, listing, program: None } => {
                format!(
                    "stop the program for which {name} listens ({listing} lists its programs), and not {name}"
                )
            }
        }
    }

    /// The command that does it, if portbind knows one.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        match self {
            Self::Unit { user, unit } => ShellCommand::stop_units(*user, &[unit]),
            Self::Container { container, user: None, .. }
                if container.pod.is_none() && !container.is_nested =>
            {
                ShellCommand::stop_container(container.runtime?, container.label())
            }
            _ => None,
        }
    }

    /// Code of the remedy.
    #[must_use]
    pub const fn fix_code(&self) -> &'static str {
        match self {
            Self::Unit { .. } => "stop-unit",
            Self::Container { .. } | Self::PublishedPort(_) => "stop-container",
            Self::Supervisor { .. } => "stop-program",
        }
    }

    /// Why ending the process itself does not help, in a clause.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Unit { user, unit } => {
                let who = user.map_or_else(|| "systemd".to_owned(), |uid| format!("systemd of user {uid}"));
                let shown = Escaped(unit);
                match unit.ends_with(".socket") {
                    true => format!("{who} itself listens for {shown}"),
                    false => format!("it belongs to {shown} of {who}"),
                }
            }
            Self::Container { container, is_proxy: true, .. } => {
                format!("it serves the published port of the container {}", Escaped(container.label()))
            }
            Self::Container { container, .. } => {
                format!("it runs in the container {}", Escaped(container.label()))
            }
            Self::PublishedPort(_) => "it serves the published port of a container".to_owned(),
            Self::Supervisor { name, program: Some(_), .. } => format!("{name} would start it again"),
            Self::Supervisor { name, program: None, .. } => format!("{name} listens for its programs"),
        }
    }
}

/// The command that makes all of these managers stop what they keep running; `None` if portbind knows no command for
/// one of them.
#[must_use]
pub fn stop_command(managers: &[&Manager]) -> Option<ShellCommand> {
    let mut units: BTreeMap<Option<u32>, BTreeSet<&str>> = BTreeMap::new();
    let mut others = Vec::new();
    for manager in managers {
        match manager {
            Manager::Unit { user, unit } => {
                units.entry(*user).or_default().insert(unit);
            }
            other => others.push(other.command()),
        }
    }
    let stop = |(user, units): (Option<u32>, BTreeSet<&str>)| {
        ShellCommand::stop_units(user, &units.into_iter().collect::<Vec<_>>())
    };
    let commands: Option<Vec<ShellCommand>> = units.into_iter().map(stop).chain(others).collect();
    commands?.into_iter().reduce(|all, one| all.and(&one))
}

/// What to do to stop what these managers keep running and what holds `port`, without the command.
#[must_use]
pub fn stop_advice(managers: &[&Manager], port: Option<u16>) -> String {
    managers.iter().map(|manager| manager.advice(port)).collect::<Vec<_>>().join("; ")
}

fn of_supervisor(process: &Process, asker: Option<&Process>) -> Option<Manager> {
    let row = |name: &str| SUPERVISORS.iter().find(|row| name.starts_with(row.process));
    let manager = |row: &SupervisorRow, program| {
        Some(Manager::Supervisor { name: row.name, listing: row.listing, program })
    };
    // A supervisor that is written in another language may have its name in its title only.
    let itself = row(&process.comm).or_else(|| process.args.first().and_then(|title| row(title)));
    let is_interpreted = process.exe.as_deref().is_some_and(is_interpreter);
    if let Some(row) = itself.filter(|row| row.binds && is_interpreted) {
        return manager(row, None);
    }
    let is_above_asker =
        |pid| asker.is_some_and(|asker| asker.ancestors.iter().any(|ancestor| ancestor.pid == pid));
    let mut program = process.pid;
    for ancestor in &process.ancestors {
        // Anybody can take such a name. Both supervisors are scripts, and their arguments or titles name them, too.
        let runs = ancestor.runs.as_deref().unwrap_or_default();
        let is_confirmed = |row: &&SupervisorRow| runs.starts_with(row.process.trim_end());
        if let Some(row) = row(&ancestor.comm).filter(is_confirmed).filter(|_| !is_above_asker(ancestor.pid))
        {
            return manager(row, Some(program));
        }
        program = ancestor.pid;
    }
    None
}

fn proxy_of(process: &Process) -> Option<Runtime> {
    // A proxy of a user's own runtime is installed, too; a program of such a name anywhere else is none.
    let is_proxy =
        |exe: &&str| is_installed(exe) || OF_ADMINISTRATOR.iter().any(|folder| exe.starts_with(folder));
    let exe = process.exe.as_deref().filter(is_proxy)?;
    PROXIES.iter().find(|(name, _)| *name == file_name(exe)).map(|(_, runtime)| *runtime)
}

fn of_container(process: &Process, asker: Option<&Process>) -> Option<Manager> {
    let (container, is_proxy) = match (&process.proxy_for, &process.container) {
        (Some(container), _) => (container, true),
        (None, container) => (container.as_ref()?, false),
    };
    let is_own = asker.and_then(|asker| asker.container.as_ref()).is_some_and(|own| own.id == container.id);
    if is_own {
        return None;
    }
    let cgroup = process.cgroup.as_deref();
    let of_user = cgroup.and_then(user_of_cgroup).or_else(|| process.uid.filter(|_| is_proxy));
    let user = of_user.filter(|uid| *uid != 0);
    Some(Manager::Container { container: Container::clone(container), is_proxy, user })
}

fn of_unit(process: &Process, asker: Option<&Process>) -> Option<Manager> {
    let unit = process.unit.as_deref()?;
    let user = process.cgroup.as_deref().and_then(user_of_cgroup);
    let is_managed = if process.comm == "systemd" {
        unit.ends_with(".socket")
    } else {
        is_service(unit)
            && !is_shared(unit, user, asker)
            && (!runs_others(unit) || is_daemon_of(process, unit))
    };
    is_managed.then(|| Manager::Unit { user, unit: unit.to_owned() })
}

/// Whether the asker belongs to the unit, too.
fn is_shared(unit: &str, user: Option<u32>, asker: Option<&Process>) -> bool {
    asker.is_some_and(|asker| {
        asker.unit.as_deref() == Some(unit) && asker.cgroup.as_deref().and_then(user_of_cgroup) == user
    })
}

fn runs_others(unit: &str) -> bool {
    RUNNERS.iter().any(|start| unit.starts_with(start)) || HOSTS.contains(&stem(unit))
}

/// Whether a process is the daemon that a unit is named after, as systemd started it: `sshd` of `ssh.service`.
fn is_daemon_of(process: &Process, unit: &str) -> bool {
    let file = process.exe.as_deref().map(file_name).unwrap_or_default();
    let is_first = process.ancestors.first().is_none_or(|parent| parent.pid == 1);
    is_first && (file == stem(unit) || file.strip_suffix('d') == Some(stem(unit)))
}

/// The unit's name without its kind and instance.
fn stem(unit: &str) -> &str {
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    name.split('@').next().unwrap_or(name)
}

#[cfg(test)]
#[path = "manager_tests.rs"]
mod tests;
