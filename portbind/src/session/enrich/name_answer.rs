//! What was found out about the name of a socket without a port.

use crate::event::{Cause, Fix, Holder};

/// Bytes of a name, at most (`sun_path`, include/uapi/linux/un.h).
const MOST_OF_NAME: usize = 108;

/// What has the name, and what that means.
#[derive(Clone, Debug)]
pub(super) struct NameAnswer {
    pub(super) holders: Vec<Holder>,
    pub(super) cause: Cause,
    pub(super) fix: Option<Fix>,
}

impl NameAnswer {
    /// A process has the name itself.
    pub(super) fn is_own(&self, pid: u32) -> bool {
        self.holders.iter().flat_map(|holder| &holder.processes).any(|owner| owner.process.pid == pid)
    }

    /// Bytes that it takes besides its own; processes are counted with each holder.
    pub(super) fn heap_bytes(&self) -> usize {
        let owned = |holder: &Holder| {
            let processes: usize = holder.processes.iter().map(|owner| owner.process.bytes()).sum();
            size_of::<Holder>() + processes + MOST_OF_NAME
        };
        self.holders.iter().map(owned).sum::<usize>() + self.cause.summary.len()
    }
}
