//! What was found out a moment ago: a burst of refusals asks once.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

/// How long what was found out is believed.
pub(super) const FRESH: Duration = Duration::from_millis(50);

/// Answers of the last moments, the oldest of which make room.
#[derive(Debug)]
pub(super) struct Recent<K: Hash + Eq, V>(LruCache<K, (Instant, V)>);

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    pub(super) fn new(limit: NonZeroUsize) -> Self {
        Self(LruCache::new(limit))
    }

    /// The answer to `key`, found out again if it is not fresh.
    pub(super) fn of(&mut self, key: K, now: Instant, find_out: impl FnOnce() -> V) -> V {
        if let Some((when, answer)) = self.0.get(&key)
            && now.duration_since(*when) < FRESH
        {
            return answer.clone();
        }
        let answer = find_out();
        self.0.put(key, (now, answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_again_when_the_answer_is_old() {
        let mut recent = Recent::new(NonZeroUsize::MIN);
        let start = Instant::now();
        assert_eq!(recent.of(1, start, || 10), 10);
        assert_eq!(recent.of(1, start + FRESH / 2, || 11), 10);
        assert_eq!(recent.of(1, start + FRESH, || 12), 12);
        assert_eq!(recent.of(2, start + FRESH, || 20), 20);
        assert_eq!(recent.of(1, start + FRESH, || 13), 13);
    }
}
