//! Refusals that found no room in the queue: counted with one that was shown, or lost.

use std::hash::Hash;
use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;

use crate::diagnosis::event::Repeat;

/// Kinds of refusals, and processes, that are counted between two reports.
const KINDS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// What is counted, and what was.
#[derive(Debug)]
pub(super) struct Overflow<K: Hash + Eq> {
    counted: LruCache<K, Repeat>,
    /// Refusals that are reported as repeats of others.
    pub(super) coalesced: u64,
    /// Refusals that are not.
    pub(super) lost: u64,
}

impl<K: Hash + Eq> Overflow<K> {
    pub(super) fn new() -> Self {
        Self { counted: LruCache::new(KINDS), coalesced: 0, lost: 0 }
    }

    /// One more; `known` is the repeat that it would be, if one like it was shown.
    pub(super) fn count(&mut self, key: K, known: Option<&Repeat>) {
        if let Some(counted) = self.counted.get_mut(&key) {
            counted.count = counted.count.saturating_add(1);
            self.coalesced = self.coalesced.saturating_add(1);
            return;
        }
        // What was counted and not reported yet is not given up for another kind.
        let Some(known) = known.filter(|_| self.counted.len() < KINDS.get()) else {
            self.lost = self.lost.saturating_add(1);
            return;
        };
        self.coalesced = self.coalesced.saturating_add(1);
        self.counted.put(key, Repeat { count: 1, ..known.clone() });
    }

    /// What was counted since the last time.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Repeat> {
        let mut repeats: Vec<Repeat> = Vec::new();
        while let Some((_, repeat)) = self.counted.pop_lru() {
            repeats.push(Repeat { time: now, ..repeat });
        }
        repeats
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::output::samples;

    #[test]
    fn all_are_counted_once() {
        let refusal = samples::listener();
        let known = Repeat {
            time: refusal.time,
            refused: refusal.time,
            count: 0,
            looked_at: true,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            cause: refusal.cause.code,
        };
        let mut overflow = Overflow::new();
        overflow.count(7, None);
        overflow.count(8, Some(&known));
        overflow.count(8, None);
        let counts: Vec<u64> = overflow.take(refusal.time).iter().map(|repeat| repeat.count).collect();
        assert_eq!((counts, overflow.coalesced, overflow.lost), (vec![2], 2, 1));
        assert!(overflow.take(refusal.time).is_empty());
        for kind in 0..10_000 {
            overflow.count(kind, Some(&known));
        }
        let counted: u64 = overflow.take(refusal.time).iter().map(|repeat| repeat.count).sum();
        assert_eq!((counted + 2, 10_003), (overflow.coalesced, overflow.coalesced + overflow.lost));
    }
}
