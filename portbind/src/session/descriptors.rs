//! Options of the descriptors through which processes have the sockets in the way open.

use std::time::Instant;

use super::bounded::Usage;
use super::recent::Recent;
use crate::diagnosis::program::never_binds;
use crate::event::{Holder, HolderProcess};
use crate::host::procfs::Procfs;

/// Limit for the bytes of recently read options.
const KNOWN: usize = 32 * 1024;

/// Whether a descriptor is closed on execve, by socket, process and number; `None` if it cannot be read.
#[derive(Debug)]
pub(super) struct Descriptors(Recent<(Option<u64>, u32, u32), Option<bool>>);

impl Descriptors {
    pub(super) fn new() -> Self {
        Self(Recent::new(KNOWN, |_| 0))
    }

    pub(super) const fn usage(&self) -> Usage {
        self.0.usage()
    }

    /// Records whether execve would close the descriptors of the sockets in the way.
    pub(super) fn read_options(&mut self, procfs: &Procfs, holders: &mut [Holder], now: Instant) {
        for holder in holders.iter_mut().filter(|holder| holder.conflicts) {
            let has_opener = holder.opened_by.is_some();
            // Without an opener, the option says something only about programs that bind no ports.
            let is_telling = |owner: &&mut HolderProcess| has_opener || never_binds(&owner.process);
            for owner in holder.processes.iter_mut().filter(is_telling) {
                let Some(&fd) = owner.fds.first() else { continue };
                let pid = owner.process.pid;
                owner.close_on_exec =
                    self.0.of((holder.inode, pid, fd), now, || procfs.close_on_exec(pid, fd));
            }
        }
    }
}
