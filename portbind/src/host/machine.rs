//! The machine: the starting point of every query.

use std::path::Path;

use super::broker_start::Helpers;
use super::clock::BootClock;
use super::entrance::Entrance;
use super::files::Files;
use super::patience::Patience;
use super::procfs::Procfs;
use super::socket_units::SocketUnits;
use super::users::Users;
use super::work_tree::WorkTrees;

/// The sources for the description of a process: the process table, the clock, the names of users, and the files of
/// container runtimes and systemd.
#[derive(Debug)]
pub struct Host {
    /// The process table.
    pub procfs: Procfs,
    /// Converts times since boot into wall clock times.
    pub clock: BootClock,
    /// Names of users.
    pub users: Users,
    /// Access to other namespaces.
    pub entrance: Entrance,
    /// The branches of work trees.
    pub work_trees: WorkTrees,
    pub(super) files: Files,
    pub(super) patience: Patience,
}

impl Host {
    /// The machine this program runs on.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Path::new("/"))
    }

    /// The machine whose root folder is `root`; the clock is this machine's.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            procfs: Procfs::at(root.join("proc")),
            clock: BootClock::new(),
            users: Users::at(root.join("etc/passwd")),
            entrance: Entrance::Own,
            work_trees: WorkTrees::default(),
            files: Files::at(root),
            patience: Patience::default(),
        }
    }

    /// The same machine, asked through helper processes.
    #[must_use]
    pub(crate) fn through(self, helpers: Helpers) -> Self {
        let Helpers { entrance, work_trees } = helpers;
        Self { entrance, work_trees, ..self }
    }

    /// The socket units of systemd.
    #[must_use]
    pub const fn socket_units(&self) -> SocketUnits<'_> {
        SocketUnits::new(&self.files)
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}
