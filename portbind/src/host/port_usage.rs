//! Which programs use the ephemeral ports of a network namespace.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

use super::owners::OwnerMap;
use super::procfs::Procfs;
use crate::diagnosis::facts::Usage;
use crate::event::{Protocol, State};
use crate::order::sort_by_key;

/// The most bytes of a table that are read: some 200,000 sockets.
const MAX_TABLE: u64 = 32 << 20;

/// One socket in `/proc/net/tcp` or a similar table (get_tcp4_sock in net/ipv4/tcp_ipv4.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    port: u16,
    state: State,
    inode: u64,
}

/// Counts the ports of `range` that `protocol` uses in the network namespace of process `pid`. `owners` finds the
/// processes that have the sockets open, and `comm` the names of processes.
pub fn usage(
    procfs: &Procfs,
    pid: u32,
    protocol: Protocol,
    range: (u16, u16),
    owners: impl FnOnce(&HashSet<u64>) -> OwnerMap,
    comm: impl Fn(u32) -> Option<String>,
) -> Option<Usage> {
    let tables = match protocol {
        Protocol::Tcp | Protocol::Mptcp => ["tcp", "tcp6"],
        Protocol::Udp => ["udp", "udp6"],
        _ => return None,
    };
    let texts = tables.map(|table| procfs.read_up_to(&format!("{pid}/net/{table}"), MAX_TABLE));
    let entries = texts.iter().flatten().flat_map(|text| entries(text));
    let entries: Vec<Entry> = entries.filter(|entry| (range.0..=range.1).contains(&entry.port)).collect();
    let inodes: HashSet<u64> = entries.iter().map(|entry| entry.inode).filter(|inode| *inode != 0).collect();
    let owners = if inodes.is_empty() { OwnerMap::default() } else { owners(&inodes) };
    let pids = entries.iter().flat_map(|entry| {
        let found = owners.get(&entry.inode).into_iter().flatten();
        found.map(|owner| (owner.pid, entry.port))
    });
    let processes = most_first(pids);
    Some(Usage {
        states: most_first(entries.iter().map(|entry| (entry.state, entry.port))),
        processes: processes
            .into_iter()
            .filter_map(|(pid, count)| comm(pid).map(|comm| (comm, pid, count)))
            .collect(),
    })
}

/// The number of different ports per key, highest first.
fn most_first<K: Copy + Ord + Hash>(ports: impl Iterator<Item = (K, u16)>) -> Vec<(K, usize)> {
    let mut by_key: BTreeMap<K, HashSet<u16>> = BTreeMap::new();
    for (key, port) in ports {
        by_key.entry(key).or_default().insert(port);
    }
    let mut counts: Vec<(K, usize)> = by_key.into_iter().map(|(key, ports)| (key, ports.len())).collect();
    sort_by_key(&mut counts, |(key, count)| (std::cmp::Reverse(*count), *key));
    counts
}

/// The sockets of a table; lines that cannot be parsed are skipped.
fn entries(text: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    text.split(|&byte| byte == b'\n').skip(1).filter_map(|line| entry(std::str::from_utf8(line).ok()?))
}

fn entry(line: &str) -> Option<Entry> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?;
    Some(Entry {
        port: u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?,
        state: State::of_number(u8::from_str_radix(state, 16).ok()?),
        inode: inode.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::owners::OwnerFds;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A410 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0
   1: 0100007F:A411 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 72 1 0
   2: 0100007F:A411 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 73 1 0
   3: 0100007F:A412 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   4: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 74 1 0
   5: torn
";

    #[test]
    fn ports_are_counted_by_state_and_process() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("7/net")).unwrap();
        std::fs::write(root.path().join("7/net/tcp"), TCP).unwrap();
        let owners = |inodes: &HashSet<u64>| {
            assert_eq!(inodes.len(), 3);
            let owner = |pid| vec![OwnerFds { pid, started: None, fds: vec![3] }];
            OwnerMap::from([(71, owner(5)), (72, owner(6)), (73, owner(6))])
        };
        let procfs = Procfs::at(root.path());
        let range = (42_000, 42_010);
        let usage = usage(&procfs, 7, Protocol::Tcp, range, owners, |pid| Some(format!("p{pid}"))).unwrap();
        assert_eq!(
            usage.states,
            [(State::Established, 1), (State::TimeWait, 1), (State::Listen, 1)].sorted()
        );
        assert_eq!(usage.processes, [("p5".to_owned(), 5, 1), ("p6".to_owned(), 6, 1)]);
        assert!(usage.summary().unwrap().ends_with("; p5 (5) has 1, p6 (6) has 1"));
    }

    trait Sorted {
        fn sorted(self) -> Self;
    }

    impl Sorted for [(State, usize); 3] {
        fn sorted(mut self) -> Self {
            self.sort_by_key(|(state, _)| *state);
            self
        }
    }
}
