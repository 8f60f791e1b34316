//! What was found out a moment ago: a burst of refusals asks once.

use std::hash::Hash;
use std::time::{Duration, Instant};

use super::bounded::{Bounded, Usage};

/// How long what was found out is believed.
pub(super) const FRESH: Duration = Duration::from_millis(50);

/// Answers of the last moments, the oldest of which make room.
#[derive(Debug)]
pub(super) struct Recent<K: Hash + Eq, V> {
    answers: Bounded<K, (Instant, V)>,
    /// Bytes of an answer on the heap.
    heap: fn(&V) -> usize,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize, heap: fn(&V) -> usize) -> Self {
        Self { answers: Bounded::new(limit), heap }
    }

    /// The answer to `key`, found out again if it is not fresh.
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
