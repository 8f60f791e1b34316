//! What was found out about the name of a socket without a port.

use crate::diagnosis::unix::Facts;
use crate::event::Holder;

/// Bytes of a name, at most (`sun_path`, include/uapi/linux/un.h).
const MOST_OF_NAME: usize = 108;

/// What has the name, and what is at the path.
#[derive(Clone, Debug, Default)]
pub(super) struct NameAnswer {
    pub(super) holders: Vec<Holder>,
    /// Of a name of AF_UNIX.
    pub(super) facts: Option<Facts>,
}

impl NameAnswer {
    /// A process has the name itself.
    pub(super) fn is_own(&self, pid: u32) -> bool {
        self.holders.iter().flat_map(|holder| &holder.processes).any(|owner| owner.process.pid == pid)
    }

    fn path(&self) -> Option<&[u8]> {
        match &self.facts {
            Some(Facts::Path { absolute, .. }) => absolute.as_deref(),
            _ => None,
        }
    }

    /// Bytes that it takes besides its own; processes are counted with each holder.
    pub(super) fn heap_bytes(&self) -> usize {
        let owned = |holder: &Holder| {
            let processes: usize = holder.processes.iter().map(|owner| owner.process.bytes()).sum();
            size_of::<Holder>() + processes + MOST_OF_NAME
        };
        self.holders.iter().map(owned).sum::<usize>() + self.path().map_or(0, <[u8]>::len)
    }
}
