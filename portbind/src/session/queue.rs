//! Refusals waiting to be described, with fair turns between the parties that cause them.
//!
//! A party is the user and cgroup responsible for a process ([`super::party`]). The party with the least work done gets
//! the next turn; within a party, its processes take turns. Room is bounded: if it runs out, the party with the most
//! waiting refusals loses some.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::bounded::Usage;
use super::party::Party;
use crate::kernel::assemble::Evidence;

/// Whether the bind that opened a holder may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The record may be on its way.
    MayCome,
    /// The waiting time is over.
    IsOverdue,
}

/// Limit for the bytes of waiting evidence.
const ROOM: usize = 1024 * 1024;

/// A waiting refusal.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) evidence: Evidence,
    pub(super) opening: Opening,
}

/// The waiting refusals.
#[derive(Debug, Default)]
pub(super) struct Queue {
    parties: BTreeMap<Party, Waiting>,
    bytes: usize,
    len: usize,
    /// The least work of any waiting party at the last turn; a new party starts with this value.
    clock: Duration,
    /// Maximum of the waiting bytes.
    most: usize,
    /// Refusals that found no room.
    refused: u64,
}

/// The waiting refusals of one party.
#[derive(Debug)]
struct Waiting {
    spent: Duration,
    bytes: usize,
    /// By thread group id; the first process has the next turn.
    members: VecDeque<(u32, VecDeque<Pending>)>,
}

impl Queue {
    /// Adds a refusal. Returns the refusals without room, which may be other ones: a refusal with many holders can
    /// displace several with few.
    pub(super) fn push(&mut self, party: Party, pid: u32, pending: Pending) -> Vec<Pending> {
        let size = pending.size();
        let clock = self.clock;
        let fresh = || Waiting { spent: clock, bytes: 0, members: VecDeque::new() };
        let waiting = self.parties.entry(party).or_insert_with(fresh);
        waiting.bytes += size;
        match waiting.members.iter_mut().find(|(member, _)| *member == pid) {
            Some((_, queue)) => queue.push_back(pending),
            None => waiting.members.push_back((pid, VecDeque::from([pending]))),
        }
        self.bytes += size;
        self.len += 1;
        let mut refused = Vec::new();
        while self.bytes > ROOM
            && let Some(pending) = self.drop_one()
        {
            self.refused += 1;
            refused.push(pending);
        }
        self.most = self.most.max(self.bytes);
        refused
    }

    /// Removes the refusal whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Party, Pending)> {
        let (&party, waiting) = self.parties.iter_mut().min_by_key(|(_, waiting)| waiting.spent)?;
        self.clock = self.clock.max(waiting.spent);
        let (pid, mut queue) = waiting.members.pop_front()?;
        let pending = queue.pop_front()?;
        if !queue.is_empty() {
            waiting.members.push_back((pid, queue));
        }
        let size = pending.size();
        waiting.bytes -= size;
        self.bytes -= size;
        self.len -= 1;
        if waiting.members.is_empty() {
            self.parties.remove(&party);
        }
        Some((party, pending))
    }

    /// Charges a party for work.
    pub(super) fn charge(&mut self, party: Party, work: Duration) {
        if let Some(waiting) = self.parties.get_mut(&party) {
            waiting.spent += work;
        }
    }

    /// Whether a refusal of this process is waiting.
    pub(super) fn has(&self, party: Party, pid: u32) -> bool {
        self.parties
            .get(&party)
            .is_some_and(|waiting| waiting.members.iter().any(|(member, _)| *member == pid))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Maximum of the waiting bytes, and how many refusals found no room.
    pub(super) const fn usage(&self) -> Usage {
        Usage { bytes: self.most, limit: ROOM, evicted: self.refused }
    }

    /// Removes the newest refusal of the process with the most waiting refusals, in the party with the most.
    fn drop_one(&mut self) -> Option<Pending> {
        let waiting = self.parties.values_mut().max_by_key(|waiting| waiting.bytes)?;
        let (_, queue) = waiting.members.iter_mut().max_by_key(|(_, queue)| queue.len())?;
        let pending = queue.pop_back()?;
        let size = pending.size();
        waiting.bytes -= size;
        waiting.members.retain(|(_, queue)| !queue.is_empty());
        self.bytes -= size;
        self.len -= 1;
        self.parties.retain(|_, waiting| !waiting.members.is_empty());
        Some(pending)
    }
}

impl Pending {
    /// Bytes of memory in use.
    fn size(&self) -> usize {
        let Evidence { refusal, holders, name } = &self.evidence;
        size_of::<Self>()
            + size_of_val(&**refusal)
            + size_of_val(holders.as_slice())
            + name.as_ref().map_or(0, |name| name.sockaddr.len())
    }
}

#[cfg(test)]
mod tests {
    use portbind_abi::{Holder, Refusal};
    use proptest::prelude::*;
    use zerocopy::FromZeros as _;

    use super::*;

    fn pending(time: u64) -> Pending {
        let mut refusal = Refusal::new_zeroed();
        refusal.header.time = time;
        let evidence = Evidence { refusal: Box::new(refusal), holders: Vec::new(), name: None };
        Pending { evidence, opening: Opening::MayCome }
    }

    fn pop(queue: &mut Queue) -> Option<(Party, u64)> {
        queue.pop().map(|(party, pending)| (party, pending.evidence.refusal.header.time))
    }

    #[test]
    fn who_has_had_the_least_done_is_next() {
        let (busy, idle) = (Party::numbered(1), Party::numbered(2));
        let mut queue = Queue::default();
        for time in 0..4 {
            assert!(queue.push(busy, 10, pending(time)).is_empty());
        }
        assert_eq!(pop(&mut queue), Some((busy, 0)));
        queue.charge(busy, Duration::from_millis(50));
        assert!(queue.push(idle, 20, pending(9)).is_empty());
        assert_eq!(pop(&mut queue), Some((idle, 9)));
        assert_eq!(pop(&mut queue), Some((busy, 1)));
    }

    #[test]
    fn processes_of_a_party_take_turns() {
        let party = Party::numbered(1);
        let mut queue = Queue::default();
        for (pid, time) in [(10, 1), (10, 2), (10, 3), (11, 4)] {
            queue.push(party, pid, pending(time));
        }
        let order: Vec<u64> = std::iter::from_fn(|| pop(&mut queue)).map(|(_, time)| time).collect();
        assert_eq!(order, [1, 4, 2, 3]);
        assert!(queue.is_empty() && !queue.has(party, 10));
    }

    #[test]
    fn the_one_with_the_most_goes_without() {
        let (greedy, modest) = (Party::numbered(1), Party::numbered(2));
        let mut queue = Queue::default();
        let mut dropped = 0;
        while dropped < 100 {
            dropped += queue.push(greedy, 10, pending(1)).len();
        }
        let refused = queue.push(modest, 20, pending(2));
        assert_eq!(refused[0].evidence.refusal.header.time, 1);
        queue.charge(greedy, Duration::from_millis(1));
        assert_eq!(pop(&mut queue), Some((modest, 2)));
        let Usage { bytes, limit, evicted } = queue.usage();
        assert!(bytes <= limit && evicted == 101, "{bytes} {evicted}");
    }

    #[test]
    fn large_ones_take_the_room_of_several() {
        let mut queue = Queue::default();
        while queue.push(Party::numbered(1), 10, pending(1)).is_empty() {}
        for _ in 0..100 {
            let mut large = pending(2);
            large.evidence.holders = vec![Holder::new_zeroed(); 32];
            assert!(queue.push(Party::numbered(2), 20, large).len() > 1);
            let Usage { bytes, limit, .. } = queue.usage();
            assert!(bytes <= limit, "{bytes} of {limit}");
        }
    }

    proptest! {
        #[test]
        fn all_that_goes_in_comes_out_once(
            steps in prop::collection::vec((0_u64..4, 0_u32..4, any::<bool>()), 0..2000),
        ) {
            let mut queue = Queue::default();
            let (mut into, mut out) = (0, 0);
            for (party, pid, takes) in steps {
                if takes {
                    out += u64::from(queue.pop().is_some());
                } else {
                    into += 1;
                    out += queue.push(Party::numbered(party), pid, pending(into)).len() as u64;
                }
            }
            prop_assert_eq!(queue.len as u64, into - out);
            while queue.pop().is_some() {
                out += 1;
            }
            prop_assert_eq!((into, queue.bytes, queue.parties.len()), (out, 0, 0));
        }
    }
}
