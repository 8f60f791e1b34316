//! Which processes have which sockets open.

use std::collections::{HashMap, HashSet};

/// The descriptors of one process that refer to one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerFds {
    /// Thread group id.
    pub pid: u32,
    /// Start of the process in nanoseconds since boot, if known.
    pub started: Option<u64>,
    /// The descriptors, ascending; never empty.
    pub fds: Vec<u32>,
}

/// The owners of each socket, by inode number in sockfs, ordered by pid. A socket without owners is not in the map.
pub type OwnerMap = HashMap<u64, Vec<OwnerFds>>;

/// Searches the descriptors of all processes.
pub trait FdSource {
    /// Finds every process that has one of these sockets open.
    fn find(&self, inodes: &HashSet<u64>) -> OwnerMap;
}

/// Groups triples `(pid, fd, inode)`, which come in any order and may repeat.
pub fn from_triples(triples: impl IntoIterator<Item = (u32, u32, u64)>) -> OwnerMap {
    let mut triples: Vec<_> = triples.into_iter().collect();
    triples.sort_unstable();
    triples.dedup();
    let mut map = OwnerMap::new();
    for (pid, fd, inode) in triples {
        let owners = map.entry(inode).or_default();
        match owners.last_mut() {
            Some(last) if last.pid == pid => last.fds.push(fd),
            _ => owners.push(OwnerFds { pid, started: None, fds: vec![fd] }),
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(pid: u32, fds: &[u32]) -> OwnerFds {
        OwnerFds { pid, started: None, fds: fds.to_vec() }
    }

    #[test]
    fn groups_and_sorts() {
        let map = from_triples([(9, 4, 70), (3, 8, 70), (9, 3, 70), (9, 5, 71), (9, 4, 70)]);
        let owners = vec![owner(3, &[8]), owner(9, &[3, 4])];
        assert_eq!(map[&70], owners);
        assert_eq!(map[&71], [owner(9, &[5])]);
        assert_eq!(map.len(), 2);
        assert!(from_triples([]).is_empty());
    }

    proptest! {
        #[test]
        fn keeps_each_triple_once(triples in prop::collection::hash_set((0_u32..4, 0_u32..4, 0_u64..4), 0..64)) {
            let map = from_triples(triples.iter().copied().chain(triples.iter().copied()));
            let mut shown = HashSet::new();
            for (&inode, owners) in &map {
                prop_assert!(owners.is_sorted_by_key(|owner| owner.pid));
                for owner in owners {
                    prop_assert!(owner.fds.is_sorted() && !owner.fds.is_empty());
                    for &fd in &owner.fds {
                        prop_assert!(shown.insert((owner.pid, fd, inode)));
                    }
                }
            }
            prop_assert_eq!(shown, triples);
        }
    }
}
