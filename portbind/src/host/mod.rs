//! The machine as user space sees it: processes, users, descriptors, namespaces, privileges.
//!
//! Everything that reads files starts at a root folder, so that a test can bring its own.

pub mod accounts;
pub mod bind_facts;
pub mod broker;
pub mod call_cost;
mod cgroup;
pub mod clock;
pub mod confinement;
mod container;
mod container_names;
pub mod entrance;
mod files;
pub mod invoker;
pub mod job;
pub mod listen_address;
mod local_addresses;
pub mod netlink;
pub mod netns;
pub mod owner_cache;
pub mod owners;
mod path_sight;
mod path_walk;
mod patience;
pub mod port_sockets;
pub mod port_usage;
pub mod ports;
pub mod priority;
pub mod privileges;
pub mod process;
pub mod procfs;
mod sock_diag;
pub mod socket_units;
pub mod sockets;
pub mod stale;
mod standing;
mod stat;
pub mod stop;
pub mod trial;
mod unit;
mod units;
pub mod unix;
pub mod unix_sockets;
pub mod users;
pub mod zone;

use std::path::Path;

pub use accounts::{Account, Accounts};
pub use clock::BootClock;
pub use entrance::Entrance;
pub use listen_address::ListenAddress;
pub use netns::{Interfaces, Netns};
pub use owner_cache::OwnerCache;
pub use owners::{FdSource, OwnerFds, OwnerMap};
pub use path_sight::Links;
pub use privileges::Privileges;
pub use procfs::Procfs;
pub use socket_units::SocketUnits;
pub use sockets::SocketOwners;
pub use users::Users;

use crate::diagnosis::rule::Generation;

/// What describing a process takes: the process table, the clock, the names of users, and the files
/// that container runtimes and systemd keep.
#[derive(Debug)]
pub struct Host {
    /// The process table.
    pub procfs: Procfs,
    /// Turns times since boot into wall clock times.
    pub clock: BootClock,
    /// Names of users.
    pub users: Users,
    /// How it looks into other namespaces.
    pub entrance: Entrance,
    files: files::Files,
    patience: patience::Patience,
}

impl Host {
    /// The machine this program runs on.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Path::new("/"))
    }

    /// The machine whose files lie below `root`; the clock is this one's.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            procfs: Procfs::at(root.join("proc")),
            clock: BootClock::new(),
            users: Users::at(root.join("etc/passwd")),
            entrance: Entrance::Own,
            files: files::Files::at(root),
            patience: patience::Patience::default(),
        }
    }

    /// The same machine, looked at through another entrance.
    #[must_use]
    pub fn through(self, entrance: Entrance) -> Self {
        Self { entrance, ..self }
    }

    /// The socket units of systemd.
    #[must_use]
    pub const fn socket_units(&self) -> SocketUnits<'_> {
        SocketUnits::new(&self.files)
    }
}

/// The running kernel's version, as the bind rule takes it; a release that does not read like one is taken for
/// the newest.
#[must_use]
pub fn generation() -> Generation {
    let system = rustix::system::uname();
    Generation::of_release(&system.release().to_string_lossy()).unwrap_or(Generation::NEWEST)
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}
