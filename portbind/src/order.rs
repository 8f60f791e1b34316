//! A sort that is compiled once for all types, and collections that need none.

use std::cmp::Ordering;

/// Sorts by a key, and keeps the order of equal items, as [`slice::sort_by_key`] does. That one is compiled for each
/// type of items, and takes 5 KB of the program each time: use it only where millions of items are sorted.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    let keys: Vec<K> = items.iter().map(key).collect();
    let mut places = places(keys.len(), &|one, other| keys.get(one).cmp(&keys.get(other)));
    for at in 0..items.len() {
        while let Some(&to) = places.get(at).filter(|to| **to != at) {
            items.swap(at, to);
            places.swap(at, to);
        }
    }
}

/// Collects into a set or map that is sorted, one item after the other: the library's own `collect` sorts all items
/// first.
pub(crate) fn collect_sorted<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

/// The place that each of so many items has in the order.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut places = order.clone();
    for (place, at) in order.into_iter().enumerate() {
        places[at] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items in prop::collection::vec((0..8_u8, any::<u8>()), 0..40)) {
            let (mut ours, mut theirs) = (items.clone(), items);
            sort_by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(ours, theirs);
        }
    }
}
