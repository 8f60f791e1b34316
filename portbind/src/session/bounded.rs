//! Caches bounded by the bytes of their entries.

use std::hash::Hash;

use lru::LruCache;

/// Overhead of an entry in bytes: links, its slot in the table, and the allocator's share.
const ENTRY: usize = 96;

/// Use and limit of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Bytes in use.
    pub(super) bytes: usize,
    /// Limit in bytes.
    pub(super) limit: usize,
    /// Entries dropped to make room.
    pub(super) evicted: u64,
}

/// Entries by key; the least recently used ones are dropped to make room.
#[derive(Debug)]
pub(super) struct Bounded<K: Hash + Eq, V> {
    entries: LruCache<K, (usize, V)>,
    usage: Usage,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: LruCache::unbounded(), usage: Usage { limit, ..Usage::default() } }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// As [`Self::get`], without counting as a use.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.peek(key).map(|(_, value)| value)
    }

    /// Stores a value of `bytes` bytes; a value larger than the whole cache is not stored.
    pub(super) fn put(&mut self, key: K, value: V, bytes: usize) {
        let bytes = bytes.saturating_add(ENTRY);
        if let Some((_, (before, _))) = self.entries.push(key, (bytes, value)) {
            self.usage.bytes -= before;
        }
        self.usage.bytes += bytes;
        while self.usage.bytes > self.usage.limit {
            let Some((_, (bytes, _))) = self.entries.pop_lru() else { break };
            self.usage.bytes -= bytes;
            self.usage.evicted += 1;
        }
    }

    pub(super) const fn usage(&self) -> Usage {
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_used_make_room() {
        let mut cache = Bounded::new(3 * (ENTRY + 10));
        for key in 0..3 {
            cache.put(key, "x", 10);
        }
        assert_eq!(cache.get(&0), Some(&"x"));
        cache.put(3, "y", 10);
        assert_eq!((cache.peek(&0), cache.peek(&1), cache.peek(&3)), (Some(&"x"), None, Some(&"y")));
        cache.put(4, "z", 10_000);
        assert_eq!((cache.peek(&4), cache.usage().bytes), (None, 0));
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_the_entries(puts in prop::collection::vec((0_u8..20, 0_usize..400), 0..200)) {
            let mut cache = Bounded::new(2000);
            for (key, bytes) in puts {
                cache.put(key, (), bytes);
                let sum: usize = cache.entries.iter().map(|(_, (bytes, ()))| bytes).sum();
                prop_assert_eq!(cache.usage().bytes, sum);
                prop_assert!(sum <= 2000);
            }
        }
    }
}
