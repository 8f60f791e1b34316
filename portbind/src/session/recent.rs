//! A cache of recent answers: a burst of refusals asks only once.

use std::hash::Hash;
use std::time::{Duration, Instant};

use super::bounded::{Bounded, Usage};

/// How long an answer is valid.
pub(super) const FRESH: Duration = Duration::from_millis(50);

/// Recent answers; the oldest are dropped to make room.
#[derive(Debug)]
pub(super) struct Recent<K: Hash + Eq, V> {
    answers: Bounded<K, (Instant, V)>,
    /// Heap bytes of an answer.
    heap: fn(&V) -> usize,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize, heap: fn(&V) -> usize) -> Self {
        Self { answers: Bounded::new(limit), heap }
    }

    /// The answer to `key`, computed again if it is no longer fresh.
    pub(super) fn of(&mut self, key: K, now: Instant, find_out: impl FnOnce() -> V) -> V {
        if let Some((when, answer)) = self.answers.get(&key)
            && now.duration_since(*when) < FRESH
        {
            return answer.clone();
        }
        let answer = find_out();
        let bytes = size_of::<(K, V)>() + (self.heap)(&answer);
        self.answers.put(key, (now, answer.clone()), bytes);
        answer
    }

    pub(super) const fn usage(&self) -> Usage {
        self.answers.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_again_when_the_answer_is_old() {
        // Room for one.
        let mut recent = Recent::new(150, |_: &i32| 0);
        let start = Instant::now();
        assert_eq!(recent.of(1, start, || 10), 10);
        assert_eq!(recent.of(1, start + FRESH / 2, || 11), 10);
        assert_eq!(recent.of(1, start + FRESH, || 12), 12);
        assert_eq!(recent.of(2, start + FRESH, || 20), 20);
        assert_eq!(recent.of(1, start + FRESH, || 13), 13);
    }
}
