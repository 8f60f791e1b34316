//! Refusals that found no room in the queue: counted with those that are alike, else with those of the same process, or lost.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use jiff::Timestamp;
use portbind_abi::{COMM_LEN, RefusalKey, Socket};

use crate::kernel::assemble::Evidence;
use crate::kernel::{coalesce, evidence};

/// Kinds of refusals that are counted between two reports: what a table of 8,192 places has room for.
const KINDS: usize = 7168;
/// Processes whose other kinds are counted: what a table of 2,048 places has room for.
const PROCESSES: usize = 1792;

/// What refusals have in common, as bytes.
type Key = [u8; size_of::<RefusalKey>()];

/// What refusals that are counted together have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Common {
    /// All that those have which are alike.
    Kind(RefusalKey),
    /// The process, by its pid.
    Process(u32),
}

/// Refusals that have something in common. There can be thousands of kinds: of the first refusal no more is kept than a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The socket of the first.
    pub(super) socket: Socket,
    /// The thread of the first.
    pub(super) comm: [u8; COMM_LEN],
    /// The sockaddr of the first, raw, of a socket without a port.
    pub(super) name: Option<Box<[u8]>>,
}

/// What is counted, and what was.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    counted: HashMap<Key, Counted>,
    of_process: HashMap<u32, Counted>,
    /// Refusals that are not even counted with others: there were too many kinds, of too many processes.
    pub(super) lost: u64,
}

impl Overflow {
    /// One more, refused at `time`.
    pub(super) fn count(&mut self, evidence: &Evidence, time: Timestamp) {
        let refusal = &evidence.refusal;
        let kind: Key = zerocopy::transmute!(coalesce::of(refusal));
        let pid = evidence::pid(&refusal.header);
        // What was counted and not reported yet is not given up for something else.
        let is_counted = count_with(&mut self.counted, KINDS, kind, evidence, time)
            || count_with(&mut self.of_process, PROCESSES, pid, evidence, time);
        if !is_counted {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// What was counted since the last time, by what it has in common, in the order of time.
    pub(super) fn take(&mut self) -> Vec<(Common, Counted)> {
        let kinds = std::mem::take(&mut self.counted).into_iter();
        let processes = std::mem::take(&mut self.of_process).into_iter();
        let kinds = kinds.map(|(key, counted)| (Common::Kind(zerocopy::transmute!(key)), counted));
        let mut taken: Vec<_> =
            kinds.chain(processes.map(|(pid, counted)| (Common::Process(pid), counted))).collect();
        taken.sort_by_key(|(_, counted)| counted.first);
        taken
    }
}

/// Counts a refusal with those of the same key. Returns whether there is room for it.
fn count_with<K: Hash + Eq>(
    counts: &mut HashMap<K, Counted>,
    room: usize,
    key: K,
    evidence: &Evidence,
    time: Timestamp,
) -> bool {
    let has_room = counts.len() < room;
    match counts.entry(key) {
        Entry::Occupied(mut counted) => counted.get_mut().add(time),
        Entry::Vacant(place) if has_room => drop(place.insert(Counted::first(evidence, time))),
        Entry::Vacant(_) => return false,
    }
    true
}

impl Counted {
    fn first(Evidence { refusal, name, .. }: &Evidence, time: Timestamp) -> Self {
        Self {
            count: 1,
            first: time,
            last: time,
            socket: refusal.socket,
            comm: refusal.identity.comm,
            name: name.as_ref().map(|name| name.sockaddr.as_slice().into()),
        }
    }

    fn add(&mut self, time: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use portbind_abi::Refusal;
    use zerocopy::FromZeros as _;

    use super::*;

    fn evidence(pid: u32) -> Evidence {
        let mut refusal = Refusal::new_zeroed();
        refusal.header.task = u64::from(pid) << 32;
        Evidence { refusal: Box::new(refusal), holders: Vec::new(), name: None }
    }

    #[test]
    fn all_are_counted_once() {
        let time = Timestamp::UNIX_EPOCH;
        let later = time + SignedDuration::from_secs(1);
        let mut overflow = Overflow::default();
        overflow.count(&evidence(8), later);
        overflow.count(&evidence(8), time);
        let taken = overflow.take();
        let [(Common::Kind(kind), counted)] = &taken[..] else { panic!("{taken:?}") };
        let parts = (kind.pid, counted.count, counted.first, counted.last);
        assert_eq!((parts, overflow.lost), ((8, 2, time, later), 0));
        assert!(overflow.take().is_empty());
        for pid in 0..10_000 {
            overflow.count(&evidence(pid), time);
        }
        let counted: u64 = overflow.take().iter().map(|(_, counted)| counted.count).sum();
        assert_eq!((counted, counted + overflow.lost), (7168 + 1792, 10_000));
    }

    #[test]
    fn of_too_many_kinds_those_of_a_process_are_counted_together() {
        let mut overflow = Overflow::default();
        for port in 0..20_000 {
            let mut evidence = evidence(8);
            evidence.refusal.socket.port = port;
            overflow.count(&evidence, Timestamp::UNIX_EPOCH);
        }
        let taken = overflow.take();
        let rest = taken.iter().find(|(common, _)| *common == Common::Process(8)).map(|(_, of)| of.count);
        assert_eq!((taken.len(), rest, overflow.lost), (7168 + 1, Some(20_000 - 7168), 0));
    }
}
