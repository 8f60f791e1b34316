//! The party that is responsible for a process, and the work done for each party.
//!
//! Refusals of one party must not keep refusals of another one from being shown. A party is what the kernel half
//! considers one ([`abi::Party`]); a user's subordinate user ids (subuid(5)) count as that user, who can have 65,536 of
//! them.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use portbind_abi as abi;

use crate::host::Accounts;

/// Window over which work is summed.
const WINDOW: Duration = Duration::from_millis(500);
/// Work for one party in a window, after which its refusals wait in the queue.
const SHARE: Duration = Duration::from_millis(75);
/// Work for all parties, after which only processes of parties with little work are served at once.
const ALL: Duration = Duration::from_millis(250);
/// Work for one party, after which even its processes with little work wait.
const SHARE_WITH_OTHERS: Duration = Duration::from_millis(150);
/// Threshold for "little work".
const LITTLE: Duration = Duration::from_millis(5);
/// Parties counted in a window; further ones wait in the queue.
const PARTIES: usize = 4096;

/// The user and cgroup that are responsible for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Party {
    /// Id of its processes' cgroup ancestor at level 1 or 2; 0 for the root.
    cgroup: u64,
    /// User id in the initial user namespace.
    owner: u32,
}

impl Party {
    #[cfg(test)]
    pub(super) const fn numbered(number: u64) -> Self {
        Self { cgroup: number, owner: 0 }
    }
}

/// Recent work, by party.
#[derive(Debug)]
pub(super) struct Parties {
    /// Ranges of subordinate user ids, each with its owner.
    subordinate: Vec<(Range<u32>, u32)>,
    work: HashMap<Party, Duration>,
    /// Recent work by process.
    of_process: HashMap<(Party, u32), Duration>,
    all: Duration,
    since: Instant,
}

impl Parties {
    /// The parties of this machine.
    pub(super) fn new(accounts: &Accounts) -> Self {
        Self::with(accounts.subordinate_uids())
    }

    fn with(subordinate: Vec<(Range<u32>, u32)>) -> Self {
        Self {
            subordinate,
            work: HashMap::new(),
            of_process: HashMap::new(),
            all: Duration::ZERO,
            since: Instant::now(),
        }
    }

    /// The party that is responsible for a process.
    pub(super) fn of(&self, identity: &abi::Identity) -> Party {
        let owner = self.subordinate.iter().find(|(range, _)| range.contains(&identity.owner));
        Party { cgroup: identity.cgroup, owner: owner.map_or(identity.owner, |(_, owner)| *owner) }
    }

    /// Whether work for a party's process is done at once: the party has not used its share, or it has, but this
    /// process used little of it.
    pub(super) fn has_share_left(&mut self, party: Party, pid: u32, now: Instant) -> bool {
        self.begin_window(now);
        let Some(&work) = self.work.get(&party) else { return self.work.len() < PARTIES };
        let had_little = self.of_process.get(&(party, pid)).is_none_or(|work| *work < LITTLE);
        if self.all >= ALL {
            return work < LITTLE;
        }
        work < SHARE || (had_little && work < SHARE_WITH_OTHERS)
    }

    /// Records work done for a party's process.
    pub(super) fn charge(&mut self, party: Party, pid: u32, work: Duration, now: Instant) {
        self.begin_window(now);
        self.all += work;
        if self.work.len() < PARTIES || self.work.contains_key(&party) {
            *self.work.entry(party).or_default() += work;
        }
        let process = (party, pid);
        if self.of_process.len() < PARTIES || self.of_process.contains_key(&process) {
            *self.of_process.entry(process).or_default() += work;
        }
    }

    /// Halves the earlier work instead of clearing it: otherwise the busiest party would get the start of each window.
    fn begin_window(&mut self, now: Instant) {
        let windows = now.saturating_duration_since(self.since).as_millis() / WINDOW.as_millis();
        if windows == 0 {
            return;
        }
        self.since = now;
        let shift = u32::try_from(windows).unwrap_or(u32::MAX).min(16);
        let rest = |work: Duration| work / (1_u32 << shift);
        self.all = rest(self.all);
        let keeps = |work: &mut Duration| {
            *work = rest(*work);
            *work > Duration::from_micros(100)
        };
        self.work.retain(|_, work| keeps(work));
        self.of_process.retain(|_, work| keeps(work));
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros as _;

    use super::*;

    fn of(parties: &Parties, uid: u32) -> Party {
        parties.of(&abi::Identity { owner: uid, ..abi::Identity::new_zeroed() })
    }

    #[test]
    fn subordinate_users_are_their_owner() {
        let parties = Parties::with(vec![(100_000..165_536, 1000), (165_536..231_072, 1001)]);
        assert_eq!(of(&parties, 100_000), of(&parties, 1000));
        assert_eq!(of(&parties, 165_535), of(&parties, 1000));
        assert_eq!(of(&parties, 165_536), of(&parties, 1001));
        assert_ne!(of(&parties, 231_072), of(&parties, 1001));
        assert_ne!(of(&parties, 1000), of(&parties, 1001));
    }

    #[test]
    fn who_had_a_share_waits_and_others_do_not() {
        let mut parties = Parties::with(Vec::new());
        let (busy, other) = (of(&parties, 1), of(&parties, 2));
        let now = Instant::now();
        assert!(parties.has_share_left(busy, 10, now));
        parties.charge(busy, 10, SHARE, now);
        assert!(!parties.has_share_left(busy, 10, now) && parties.has_share_left(other, 20, now));
        assert!(parties.has_share_left(busy, 11, now), "another process of the same party had nothing of it");
        parties.charge(busy, 10, SHARE, now);
        assert!(!parties.has_share_left(busy, 11, now), "there is an end to that");
        assert!(parties.has_share_left(busy, 10, now + 2 * WINDOW), "it is forgotten");
    }

    #[test]
    fn many_parties_do_not_get_a_share_each() {
        let mut parties = Parties::with(Vec::new());
        let now = Instant::now();
        for uid in 0..50 {
            let party = of(&parties, uid);
            parties.charge(party, 10, LITTLE * 2, now);
        }
        let (busy, fresh) = (of(&parties, 7), of(&parties, 1000));
        assert!(!parties.has_share_left(busy, 10, now) && parties.has_share_left(fresh, 20, now));
        for uid in 0..2 * u32::try_from(PARTIES).unwrap() {
            let party = of(&parties, uid);
            parties.charge(party, uid, LITTLE / 10, now);
        }
        assert!(parties.work.len() <= PARTIES);
    }
}
