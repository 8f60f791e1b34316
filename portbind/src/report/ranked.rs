//! Counts keys in bounded memory.

use crate::order::sort_by_key;
use std::collections::BTreeMap;

/// What did not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The number of rows; a row that is dropped twice counts twice.
    pub rows: u64,
    /// The sum of their counts.
    pub count: u64,
}

impl LeftOut {
    /// Adds a row with this count.
    pub fn add(&mut self, count: u64) {
        self.rows = self.rows.saturating_add(1);
        self.count = self.count.saturating_add(count);
    }
}

/// The first rows of a table, and a count of the rest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ranked<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The rows that are not included.
    pub left_out: LeftOut,
}

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), left_out: LeftOut::default() }
    }
}

impl<T> Ranked<T> {
    /// Appends a row, or only counts it if there are `most` rows already.
    pub(super) fn push(&mut self, row: T, most: usize) {
        if self.rows.len() < most {
            self.rows.push(row);
        } else {
            self.left_out.add(1);
        }
    }
}

/// Counts per key. If there are too many keys, the less frequent half is dropped.
#[derive(Clone, Debug)]
pub(super) struct Tally<K, V> {
    rows: BTreeMap<K, (u64, V)>,
    most: usize,
    left_out: LeftOut,
}

impl<K: Ord + Clone, V> Tally<K, V> {
    /// A tally with room for this many keys.
    pub(super) const fn new(most: usize) -> Self {
        Self { rows: BTreeMap::new(), most, left_out: LeftOut { rows: 0, count: 0 } }
    }

    /// Counts a key, and returns its count and its stored value.
    pub(super) fn add(&mut self, key: &K, first: impl FnOnce() -> V) -> (u64, &mut V) {
        self.add_more(key, 1, first)
    }

    /// Counts a key `count` times, as [`Self::add`].
    pub(super) fn add_more(&mut self, key: &K, count: u64, first: impl FnOnce() -> V) -> (u64, &mut V) {
        if self.rows.len() >= self.most && !self.rows.contains_key(key) {
            self.prune();
        }
        let row = self.rows.entry(key.clone()).or_insert_with(|| (0, first()));
        row.0 = row.0.saturating_add(count);
        (row.0, &mut row.1)
    }

    /// The stored value of a key.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.rows.get_mut(key).map(|(_, kept)| kept)
    }

    /// All stored values.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut V)> {
        self.rows.values_mut().map(|(count, kept)| (*count, kept))
    }

    /// Drops the less frequent half.
    fn prune(&mut self) {
        let mut counts: Vec<u64> = self.rows.values().map(|(count, _)| *count).collect();
        counts.sort_unstable();
        let half = counts.get(counts.len() / 2).copied().unwrap_or(0);
        let mut room = self.most / 2;
        self.rows.retain(|_, (count, _)| {
            let stays = *count > half && room > 0;
            if stays {
                room -= 1;
            } else {
                self.left_out.add(*count);
            }
            stays
        });
    }

    /// The rows with the highest counts, at most `most`; of rows with equal counts, the lesser key comes first.
    pub(super) fn finish<T>(self, most: usize, mut row: impl FnMut(K, u64, V) -> T) -> Ranked<T> {
        let mut all: Vec<(K, (u64, V))> = self.rows.into_iter().collect();
        sort_by_key(&mut all, |(_, (count, _))| std::cmp::Reverse(*count));
        let mut left_out = self.left_out;
        for (_, (count, _)) in all.iter().skip(most) {
            left_out.add(*count);
        }
        all.truncate(most);
        let rows = all.into_iter().map(|(key, (count, kept))| row(key, count, kept)).collect();
        Ranked { rows, left_out }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_counted_twice_or_forgotten(
            keys in proptest::collection::vec(0_u8..40, 0..300), room in 1_usize..20, most in 0_usize..20,
        ) {
            let mut tally = Tally::new(room);
            for key in &keys {
                tally.add(key, || ());
                prop_assert!(tally.rows.len() <= room);
            }
            let ranked = tally.finish(most, |key, count, ()| (key, count));
            let shown: u64 = ranked.rows.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(shown + ranked.left_out.count, keys.len() as u64);
            prop_assert!(ranked.rows.len() <= most);
            prop_assert!(ranked.rows.is_sorted_by(|one, other| one.1 >= other.1));
        }
    }
}
