//! The result of the search for a portless socket's name.

use crate::diagnosis::unix::Facts;
use crate::event::Holder;

/// Maximum bytes of a name (`sun_path`, include/uapi/linux/un.h).
const MOST_OF_NAME: usize = 108;

/// The sockets with the name, and the object at the path.
#[derive(Clone, Debug, Default)]
pub(super) struct NameAnswer {
    pub(super) holders: Vec<Holder>,
    /// Facts about an AF_UNIX name.
    pub(super) facts: Option<Facts>,
}

impl NameAnswer {
    /// Whether the process itself has the name.
    pub(super) fn is_own(&self, pid: u32) -> bool {
        self.holders.iter().flat_map(|holder| &holder.processes).any(|owner| owner.process.pid == pid)
    }

    fn path(&self) -> Option<&[u8]> {
        match &self.facts {
            Some(Facts::Path { absolute, .. }) => absolute.as_deref(),
            _ => None,
        }
    }

    /// Heap bytes of the answer; processes are counted once for each holder.
    pub(super) fn heap_bytes(&self) -> usize {
        let owned = |holder: &Holder| {
            let processes: usize = holder.processes.iter().map(|owner| owner.process.bytes()).sum();
            size_of::<Holder>() + processes + MOST_OF_NAME
        };
        self.holders.iter().map(owned).sum::<usize>() + self.path().map_or(0, <[u8]>::len)
    }
}
