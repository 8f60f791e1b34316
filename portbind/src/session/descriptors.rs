//! How processes have the sockets in the way open.

use std::time::Instant;

use super::bounded::Usage;
use super::recent::Recent;
use crate::event::Holder;
use crate::host::procfs::Procfs;

/// Bytes of descriptors that are remembered for a moment.
const KNOWN: usize = 32 * 1024;

/// Whether descriptors are closed on execve, by socket, process and number; `None` where it cannot be read.
#[derive(Debug)]
pub(super) struct Descriptors(Recent<(Option<u64>, u32, u32), Option<bool>>);

impl Descriptors {
    pub(super) fn new() -> Self {
        Self(Recent::new(KNOWN, |_| 0))
    }

    pub(super) const fn usage(&self) -> Usage {
        self.0.usage()
    }

    /// Notes whether copies of sockets in the way would have been closed by execve.
    pub(super) fn read_options(&mut self, procfs: &Procfs, holders: &mut [Holder], now: Instant) {
        for holder in holders.iter_mut().filter(|holder| holder.conflicts && holder.opened_by.is_some()) {
            for owner in &mut holder.processes {
                let Some(&fd) = owner.fds.first() else { continue };
                let pid = owner.process.pid;
                owner.close_on_exec =
                    self.0.of((holder.inode, pid, fd), now, || procfs.close_on_exec(pid, fd));
            }
        }
    }
}
