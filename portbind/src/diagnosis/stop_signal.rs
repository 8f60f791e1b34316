//! Which signal stops a program, and whether the program may be killed if it does not end.

use super::program::file_name;
use crate::event::{Ancestor, Process, ShellCommand};

/// Servers that SIGTERM does not stop at once, and servers of data, which are never killed. All others are stopped by
/// SIGTERM, and killed if they do not end.
const PROGRAMS: [Program; 8] = [
    // SIGTERM waits until the last client has disconnected (postgres(1)).
    Program {
        name: "postgres",
        signal: StopSignal::Interrupt,
        own_command: Some("pg_ctl stop --mode=fast --pgdata=FOLDER"),
        has_data: true,
    },
    Program::of_data("mysqld", Some("mysqladmin shutdown")),
    Program::of_data("mariadbd", Some("mariadb-admin shutdown")),
    Program::of_data("mongod", Some("mongod --shutdown --dbpath FOLDER")),
    Program::of_data("redis-server", Some("redis-cli shutdown")),
    Program::of_data("etcd", None),
    // SIGTERM makes the master start its workers again, unless --die-on-term is set.
    Program::without_data("uwsgi", StopSignal::Interrupt),
    // The program behind the name uwsgi on Debian.
    Program::without_data("uwsgi-core", StopSignal::Interrupt),
];
/// Servers whose master process has no socket of its own, and starts workers that have.
const MASTERS: [&str; 1] = ["haproxy"];

/// A signal that asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopSignal {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
}

/// How a program is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Program {
    /// Name of the process or of the executable.
    name: &'static str,
    signal: StopSignal,
    /// The program's own command that stops the server.
    own_command: Option<&'static str>,
    /// It keeps data that it has to write before it ends.
    has_data: bool,
}

impl Program {
    const fn of_data(name: &'static str, own_command: Option<&'static str>) -> Self {
        Self { name, signal: StopSignal::Terminate, own_command, has_data: true }
    }

    const fn without_data(name: &'static str, signal: StopSignal) -> Self {
        Self { name, signal, own_command: None, has_data: false }
    }

    fn of(process: &Process) -> Option<&'static Self> {
        let exe = process.exe.as_deref().map(file_name);
        PROGRAMS.iter().find(|program| process.comm == program.name || exe == Some(program.name))
    }
}

impl StopSignal {
    /// The signal that stops a process.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        Program::of(process).map_or(Self::Terminate, |program| program.signal)
    }

    /// The name of the signal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// The command that sends the signal to processes.
    #[must_use]
    pub fn command(self, pids: &[u32]) -> Option<ShellCommand> {
        match self {
            Self::Terminate => ShellCommand::kill(pids),
            Self::Interrupt => ShellCommand::interrupt(pids),
        }
    }
}

/// Whether a process may be killed if it does not end.
#[must_use]
pub fn may_be_killed(process: &Process) -> bool {
    Program::of(process).is_none_or(|program| !program.has_data)
}

/// The program's own command that stops the server, if portbind knows one.
#[must_use]
pub fn own_command(process: &Process) -> Option<&'static str> {
    Program::of(process).and_then(|program| program.own_command)
}

/// The topmost master of a process, if the program is one whose master has no socket.
#[must_use]
pub fn master_without_socket(process: &Process) -> Option<&Ancestor> {
    let is_master = |above: &&Ancestor| MASTERS.contains(&&*above.comm) && above.comm == process.comm;
    process.ancestors.iter().take_while(is_master).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(comm: &str, exe: &str) -> Process {
        Process { comm: comm.to_owned(), exe: Some(exe.to_owned()), ..Process::default() }
    }

    #[test]
    fn programs_are_known_by_their_name_or_executable() {
        for (comm, exe, signal, killed) in [
            ("postgres", "/usr/lib/postgresql/15/bin/postgres", StopSignal::Interrupt, false),
            ("connection", "/usr/sbin/mariadbd", StopSignal::Terminate, false),
            ("etcd", "/x", StopSignal::Terminate, false),
            ("uwsgi", "/usr/bin/uwsgi-core", StopSignal::Interrupt, true),
            ("nginx", "/usr/sbin/nginx", StopSignal::Terminate, true),
            ("postgres_export", "/usr/bin/postgres_exporter", StopSignal::Terminate, true),
        ] {
            let process = process(comm, exe);
            assert_eq!((StopSignal::of(&process), may_be_killed(&process)), (signal, killed), "{comm}");
        }
    }

    #[test]
    fn a_master_without_socket_is_the_topmost_of_its_name() {
        let mut worker = process("haproxy", "/usr/sbin/haproxy");
        let above = [(9, "haproxy"), (8, "haproxy"), (7, "bash"), (6, "haproxy")];
        worker.ancestors = above.map(|(pid, comm)| Ancestor::new(pid, comm.to_owned())).to_vec();
        assert_eq!(master_without_socket(&worker).map(|above| above.pid), Some(8));
        worker.comm = "nginx".to_owned();
        assert_eq!(master_without_socket(&worker), None);
    }
}
