//! Processes, as far as they could be described.

use jiff::Timestamp;

use super::container::Container;
use super::job::Job;
use crate::escape::Escaped;

/// A process, as far as it could be described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// Thread group id.
    pub pid: u32,
    /// Thread that made the call; the pid if no thread is meant.
    pub tid: u32,
    /// Name of the thread or process.
    pub comm: String,
    /// Path of the executable.
    pub exe: Option<String>,
    /// Its working folder, as the process itself sees it.
    pub cwd: Option<String>,
    /// Branch of the git work tree around that folder, or the first digits of its commit; known only where another
    /// process runs the same.
    pub branch: Option<String>,
    /// Argument vector; empty if unknown.
    pub args: Vec<String>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Name of that user.
    pub user: Option<String>,
    /// Process group: an interactive shell gives each command a group of its own, a script does not.
    pub group: Option<u32>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<String>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// It was suspended by a signal, as by Ctrl-Z, when it was described: it acts on no other signal until it goes on.
    pub is_stopped: bool,
    /// Its ancestors, nearest first.
    pub ancestors: Vec<Ancestor>,
    /// The container that it runs in.
    pub container: Option<Box<Container>>,
    /// The container whose published port it serves from outside of the container, as docker-proxy does.
    pub proxy_for: Option<Box<Container>>,
    /// Its systemd unit; for systemd itself, the socket unit for which it holds a socket.
    pub unit: Option<String>,
    /// The test or CI job that it belongs to.
    pub job: Option<Box<Job>>,
}

/// An ancestor of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ancestor {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: String,
    /// What it runs, for people, if its name is that of an interpreter and it was looked at.
    pub runs: Option<String>,
}

impl Ancestor {
    /// An ancestor of which no more than the name is known.
    #[must_use]
    pub const fn new(pid: u32, comm: String) -> Self {
        Self { pid, comm, runs: None }
    }

    /// Its name, and what it runs if that is known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [Some(self.comm.as_str()), self.runs.as_deref()].into_iter().flatten()
    }

    /// What it runs, for a sentence: `nodemon`, `python run.py`; if that is not known, its name.
    #[must_use]
    pub fn shown(&self) -> String {
        self.runs.clone().unwrap_or_else(|| Escaped(&self.comm).to_string())
    }
}

/// Allocator overhead of each allocation in bytes.
const PIECE: usize = 16;

impl Process {
    /// Bytes of memory in use, as far as they depend on the process.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let optional =
            [&self.exe, &self.cwd, &self.branch, &self.user, &self.cgroup, &self.unit].into_iter().flatten();
        let ancestors = self.ancestors.iter().flat_map(Ancestor::names);
        let strings = optional.chain([&self.comm]).chain(&self.args).map(String::as_str).chain(ancestors);
        size_of::<Self>()
            + strings.map(|text| text.len() + PIECE).sum::<usize>()
            + self.args.capacity() * size_of::<String>()
            + self.ancestors.capacity() * size_of::<Ancestor>()
            + [&self.container, &self.proxy_for].into_iter().flatten().count()
                * (size_of::<Container>() + 256)
            + self.job.as_ref().map_or(0, |_| size_of::<Job>() + 256)
    }
}
