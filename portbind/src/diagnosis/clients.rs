//! Programs that only ask a daemon, and which refusals of the daemon they asked for.
//!
//! `docker run -p 8080:80` binds nothing: docker-proxy does, below dockerd. A refusal there belongs to the client only
//! if the client's arguments name the port, the container or the unit, because a daemon works for everybody at once.

use crate::diagnosis::program::{file_name, script};
use crate::event::{Asking, Container, Link, Process};

/// Clients of one daemon.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The names of the clients.
    clients: &'static [&'static str],
    /// The name of the daemon in sentences.
    pub daemon: &'static str,
    /// The starts of the names of the daemon's processes.
    processes: &'static [&'static str],
    /// The daemon keeps a list of ports of its own, and refuses a port of the list without a bind.
    pub has_allocator: bool,
}

/// All clients. Two daemons may have processes of one name (`conmon`).
const TABLE: [Row; 6] = [
    Row {
        clients: &["docker", "docker-compose"],
        daemon: "dockerd",
        processes: &["dockerd", "docker-proxy", "containerd", "containerd-shim"],
        has_allocator: true,
    },
    Row {
        clients: &["podman", "podman-remote", "podman-compose"],
        daemon: "podman",
        processes: &["podman", "conmon", "rootlessport"],
        has_allocator: false,
    },
    Row {
        clients: &["kubectl", "crictl", "nerdctl"],
        daemon: "kubelet",
        processes: &["kubelet", "crio", "k3s-server", "conmon"],
        has_allocator: false,
    },
    Row {
        clients: &["supervisorctl"],
        daemon: "supervisord",
        processes: &["supervisord"],
        has_allocator: false,
    },
    Row { clients: &["pm2"], daemon: "pm2", processes: &["PM2 "], has_allocator: false },
    Row {
        clients: &["systemctl", "systemd-run", "service"],
        daemon: "systemd",
        processes: &["systemd"],
        has_allocator: false,
    },
];

/// Interpreters that run clients under their own name.
const INTERPRETERS: [&str; 3] = ["node", "python", "python3"];

/// The most ranges of published ports that are read from one command line.
const MOST_PORTS: usize = 64;

/// A client of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its pid.
    pub pid: u32,
    /// Its arguments, the program first.
    pub args: Vec<String>,
    /// Its row.
    pub row: &'static Row,
}

/// The daemons that a process of this name may be or belong to.
pub fn daemons(comm: &str) -> impl Iterator<Item = &'static Row> {
    // `systemd-resolve` and others are services, and no manager of services.
    let is_its = move |row: &&Row| {
        row.processes.iter().any(|name| match *name {
            "systemd" => comm == "systemd",
            name => comm.starts_with(name),
        })
    };
    TABLE.iter().filter(is_its)
}

/// Whether a process is `podman system service`: the daemon of `podman --remote`.
#[must_use]
pub fn is_service_of_podman(comm: &str, args: &[String]) -> bool {
    comm == "podman" && args.iter().any(|word| word == "service")
}

/// Whether a process of this name may be a client, so that its arguments are worth a look.
#[must_use]
pub fn may_be_client(comm: &str) -> bool {
    TABLE.iter().any(|row| row.clients.contains(&comm))
}

/// Whether a process of this name is an interpreter, which may run a client.
#[must_use]
pub fn may_run_client(comm: &str) -> bool {
    INTERPRETERS.contains(&comm)
}

impl Client {
    /// The client that a process with these arguments is.
    #[must_use]
    pub fn of(pid: u32, args: &[String]) -> Option<Self> {
        let program = file_name(args.first()?);
        let script = script(args).map(|(_, path)| file_name(path));
        let is_its = |row: &&Row| {
            row.clients.contains(&program) || script.is_some_and(|script| row.clients.contains(&script))
        };
        let row = TABLE.iter().find(is_its)?;
        Some(Self { pid, args: args.to_vec(), row })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        let program = self.args.first().map_or("", |word| file_name(word));
        let is_named = |word: &&str| self.row.clients.contains(word);
        if is_named(&program) {
            return program;
        }
        script(&self.args).map(|(_, path)| file_name(path)).filter(is_named).unwrap_or(program)
    }

    /// The ports that it asks to publish, from the lowest to the highest of each range: `-p` and `--publish`, as
    /// `[ADDRESS:]PORT[-PORT]:PORT[/PROTOCOL]` (docker-run(1)).
    #[must_use]
    pub fn published(&self) -> Vec<(u16, u16)> {
        let mut words = self.args.iter().map(String::as_str);
        let mut ports = Vec::new();
        while let Some(word) = words.next() {
            let value = match word {
                "-p" | "--publish" => words.next(),
                _ => word.strip_prefix("--publish=").or_else(|| word.strip_prefix("-p")),
            };
            ports.extend(value.and_then(host_ports).filter(|_| ports.len() < MOST_PORTS));
        }
        ports
    }

    /// Whether it may ask for published ports: by its own options, or by those that a container or a file has.
    #[must_use]
    pub fn may_publish(&self) -> bool {
        const BY_OTHERS: [&str; 7] =
            ["compose", "start", "restart", "stack", "service", "-P", "--publish-all"];
        self.name() != "docker"
            || !self.published().is_empty()
            || self.has_word(|word| BY_OTHERS.contains(&word))
    }

    /// What shows that it asked for the work in which a process was refused this port.
    #[must_use]
    pub fn asked(&self, process: &Process, port: u16) -> Option<Asking> {
        self.link(process, port).map(|link| Asking::new(self.pid, self.name().to_owned(), link))
    }

    fn link(&self, process: &Process, port: u16) -> Option<Link> {
        let container = process.container.as_deref();
        let is_published = self.published().iter().any(|(low, high)| (*low..=*high).contains(&port));
        if container.is_none() && is_published {
            return Some(Link::Port(port));
        }
        if let Some(container) = container.or(process.proxy_for.as_deref())
            && let Some(name) = self.names_container(container)
        {
            return Some(Link::Container(name));
        }
        let unit = process.unit.as_deref().filter(|unit| {
            let stem = unit.strip_suffix(".service").unwrap_or(unit);
            self.has_word(|word| word == *unit || word == stem)
        });
        if let Some(unit) = unit {
            return Some(Link::Unit(unit.to_owned()));
        }
        let is_run_there = process.args.len() > 1 && self.args.ends_with(&process.args);
        is_run_there.then_some(Link::Arguments)
    }

    /// The name or id by which the arguments name a container, or its pod.
    fn names_container(&self, container: &Container) -> Option<String> {
        /// Digits of an id that are taken for the id.
        const ENOUGH: usize = 12;
        let pod = container.pod.as_ref().and_then(|pod| pod.name.as_deref());
        let mut names = [container.name.as_deref(), pod].into_iter().flatten();
        if let Some(name) = names.find(|name| self.has_word(|word| word == *name)) {
            return Some(name.to_owned());
        }
        let is_id = |word: &str| word.len() >= ENOUGH && container.id.starts_with(word);
        self.has_word(is_id).then(|| container.label().to_owned())
    }

    /// Whether one of the arguments, or the value after its `=`, is such a word.
    fn has_word(&self, is_wanted: impl Fn(&str) -> bool) -> bool {
        let words = self.args.iter().skip(1).map(String::as_str);
        words
            .flat_map(|word| [Some(word), word.split_once('=').map(|(_, value)| value)])
            .flatten()
            .any(is_wanted)
    }
}

/// The ports of the host in a value of `--publish`.
fn host_ports(value: &str) -> Option<(u16, u16)> {
    let value = value.split('/').next()?;
    let (rest, _) = value.rsplit_once(':')?;
    // An address may contain colons, in brackets.
    let host = rest.rsplit_once(':').map_or(rest, |(_, host)| host);
    let (low, high) = host.split_once('-').unwrap_or((host, host));
    Some((low.parse().ok()?, high.parse().ok()?))
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
