//! Refusals that found no room in the queue: counted with those that are alike, or lost.

use std::collections::HashMap;

use jiff::Timestamp;
use portbind_ebpf::abi::{Alike, COMM_LEN, Socket};

use crate::kernel::alike;
use crate::kernel::assemble::Evidence;

/// Kinds of refusals that are counted between two reports: what a table of 8,192 places has room for.
const KINDS: usize = 7168;

/// What refusals have in common, as bytes.
type Key = [u8; size_of::<Alike>()];

/// The refusals of one kind. There can be thousands of kinds: of the first refusal no more is kept than a report says.
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
    /// Refusals that are not even counted with others: there were too many kinds.
    pub(super) lost: u64,
}

impl Overflow {
    /// One more, refused at `time`.
    pub(super) fn count(&mut self, evidence: &Evidence, time: Timestamp) {
        let Evidence { refusal, name, .. } = evidence;
        let key: Key = zerocopy::transmute!(alike::of(refusal));
        if let Some(counted) = self.counted.get_mut(&key) {
            counted.count = counted.count.saturating_add(1);
            counted.first = counted.first.min(time);
            counted.last = counted.last.max(time);
            return;
        }
        // What was counted and not reported yet is not given up for another kind.
        if self.counted.len() >= KINDS {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        let counted = Counted {
            count: 1,
            first: time,
            last: time,
            socket: refusal.socket,
            comm: refusal.identity.comm,
            name: name.as_ref().map(|name| name.sockaddr.as_slice().into()),
        };
        self.counted.insert(key, counted);
    }

    /// What was counted since the last time, by its kind, in the order of time.
    pub(super) fn take(&mut self) -> Vec<(Alike, Counted)> {
        let taken = std::mem::take(&mut self.counted).into_iter();
        let mut taken: Vec<_> = taken.map(|(key, counted)| (zerocopy::transmute!(key), counted)).collect();
        taken.sort_by_key(|(_, counted)| counted.first);
        taken
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use portbind_ebpf::abi::Refusal;
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
        let parts: Vec<_> = taken.iter().map(|(kind, of)| (kind.pid, of.count, of.first, of.last)).collect();
        assert_eq!((parts, overflow.lost), (vec![(8, 2, time, later)], 0));
        assert!(overflow.take().is_empty());
        for pid in 0..10_000 {
            overflow.count(&evidence(pid), time);
        }
        let counted: u64 = overflow.take().iter().map(|(_, counted)| counted.count).sum();
        assert_eq!((counted, counted + overflow.lost), (7168, 10_000));
    }
}
