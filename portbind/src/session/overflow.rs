//! Refusals that found no room in the queue: counted with equal refusals, otherwise with refusals of the same process,
//! otherwise lost.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use jiff::Timestamp;
use portbind_abi::{COMM_LEN, RefusalKey, Socket};

use crate::kernel::assemble::Evidence;
use crate::kernel::{coalesce, evidence};
use crate::order::sort_by_key;

/// Kinds of refusals counted between two reports: the capacity of a table with 8,192 slots.
const KINDS: usize = 7168;
/// Processes whose further kinds are counted: the capacity of a table with 2,048 slots.
const PROCESSES: usize = 1792;

/// The key of equal refusals, as bytes.
type Key = [u8; size_of::<RefusalKey>()];

/// What the refusals counted together have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Common {
    /// The key of equal refusals.
    Kind(RefusalKey),
    /// The process, by its pid.
    Process(u32),
}

/// Refusals counted together. There can be thousands of kinds, so only the parts of the first refusal that a report
/// needs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// Socket of the first refusal.
    pub(super) socket: Socket,
    /// Thread name of the first refusal.
    pub(super) comm: [u8; COMM_LEN],
    /// Raw sockaddr of the first refusal, for a portless socket.
    pub(super) name: Option<Box<[u8]>>,
}

/// Counts since the last report.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    counted: HashMap<Key, Counted>,
    of_process: HashMap<u32, Counted>,
    /// Refusals not counted in any group: there were too many kinds and too many processes.
    pub(super) lost: u64,
}

impl Overflow {
    /// Counts a refusal at `time`.
    pub(super) fn count(&mut self, evidence: &Evidence, time: Timestamp) {
        let refusal = &evidence.refusal;
        let kind: Key = zerocopy::transmute!(coalesce::of(refusal));
        let pid = evidence::pid(&refusal.header);
        // Counts that are not reported yet are never dropped to make room.
        let is_counted = count_with(&mut self.counted, KINDS, kind, evidence, time)
            || count_with(&mut self.of_process, PROCESSES, pid, evidence, time);
        if !is_counted {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Takes the counts since the last call, by what they have in common, in order of time.
    pub(super) fn take(&mut self) -> Vec<(Common, Counted)> {
        let kinds = std::mem::take(&mut self.counted).into_iter();
        let processes = std::mem::take(&mut self.of_process).into_iter();
        let kinds = kinds.map(|(key, counted)| (Common::Kind(zerocopy::transmute!(key)), counted));
        let mut taken: Vec<_> =
            kinds.chain(processes.map(|(pid, counted)| (Common::Process(pid), counted))).collect();
        sort_by_key(&mut taken, |(_, counted)| counted.first);
        taken
    }
}

/// Counts a refusal under its key. Returns false if there is no room.
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
