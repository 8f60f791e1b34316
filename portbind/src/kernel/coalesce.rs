//! Refusals that the kernel half only counted, because an equal refusal had just been sent or there was no room.

use crate::order::sort_by_key;
use std::collections::HashMap as Known;

use aya::Pod;
use aya::maps::{HashMap, MapData};
use portbind_abi::{Count, Party, PartyQuota, Quota, Refusal, RefusalKey};
use zerocopy::{FromBytes, IntoBytes};

use super::evidence;
use super::maps::Maps;

/// Map of the counts of equal refusals.
const COUNTS: &str = "COUNTS";
/// Map of the per-process quotas in the current window.
const QUOTAS: &str = "QUOTAS";
/// Map of the per-party quotas in the current window.
const PARTIES: &str = "PARTIES";

/// Keys and values as bytes: they are plain integers without padding.
type KeyBytes = [u8; size_of::<RefusalKey>()];
type CountBytes = [u8; size_of::<Count>()];
type QuotaBytes = [u8; size_of::<Quota>()];
type PartyBytes = [u8; size_of::<Party>()];
type PartyShareBytes = [u8; size_of::<PartyQuota>()];

/// The refusals of one kind or process counted since the last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More<K, V> {
    /// What the refusals have in common.
    pub key: K,
    /// All refusals counted so far, and their times.
    pub value: V,
    /// Number of refusals since the last read.
    pub count: u64,
    /// The value at the last read.
    pub before: Option<V>,
}

/// Contents of the count maps at the last read; no larger than the maps.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counts: Known<KeyBytes, Count>,
    quotas: Known<u32, Quota>,
}

impl Counts {
    /// Counts of equal refusals, as far as the map can be read while it changes.
    pub(super) fn take_counts(&mut self, maps: &mut Maps) -> Vec<More<RefusalKey, Count>> {
        let more = more::<KeyBytes, CountBytes, Count>(maps, COUNTS, &mut self.counts, |often| often.more);
        let typed = |more: More<KeyBytes, Count>| {
            let More { key, value, count, before } = more;
            More { key: zerocopy::transmute!(key), value, count, before }
        };
        more.into_iter().map(typed).collect()
    }

    /// Counts of refusals that were not compared, by thread group id.
    pub(super) fn take_quotas(&mut self, maps: &mut Maps) -> Vec<More<u32, Quota>> {
        more::<u32, QuotaBytes, Quota>(maps, QUOTAS, &mut self.quotas, |share| share.more)
    }
}

/// The increase of a map since the last read. Entries that have not changed since then are removed from the map; the
/// kernel half creates them again when needed.
fn more<K, B, V>(
    maps: &mut Maps,
    map: &str,
    known: &mut Known<K, V>,
    count: impl Fn(&V) -> u64,
) -> Vec<More<K, V>>
where
    K: Pod + Eq + std::hash::Hash,
    B: Pod + IntoBytes + zerocopy::Immutable,
    V: FromBytes + PartialEq + Copy,
{
    let mut found = Vec::new();
    let mut stale = Vec::new();
    let entries: Vec<(K, V)> = entries::<K, B>(maps, map)
        .filter_map(|(key, bytes)| Some((key, V::read_from_bytes(bytes.as_bytes()).ok()?)))
        .collect();
    let before = std::mem::take(known);
    for (key, value) in entries {
        let then = before.get(&key);
        if then == Some(&value) {
            stale.push(key);
            continue;
        }
        // The kernel half may have created the entry again.
        let old = then.map_or(0, &count);
        let new = count(&value).checked_sub(old).unwrap_or_else(|| count(&value));
        if new > 0 {
            found.push(More { key, value, count: new, before: then.copied() });
        }
        known.insert(key, value);
    }
    forget::<K, B>(maps, map, &stale);
    found
}

/// Removes entries from a map. A refusal that is counted in a removed entry at the same moment is missing from the sum
/// and so is accounted for as lost. An entry that cannot be removed stays and continues to count.
fn forget<K: Pod, V: Pod>(maps: &mut Maps, map: &str, stale: &[K]) {
    let Ok(map) = maps.get_mut(map) else { return };
    let Ok(mut map) = HashMap::<_, K, V>::try_from(map) else { return };
    for key in stale {
        drop(map.remove(key));
    }
}

/// Lost refusals of each party, as far as recorded, most first.
pub(super) fn lost(maps: &Maps) -> Vec<(Party, u64)> {
    let entries = entries::<PartyBytes, PartyShareBytes>(maps, PARTIES);
    let lost = entries.map(|(party, share)| (zerocopy::transmute!(party), zerocopy::transmute!(share)));
    let mut lost: Vec<_> = lost
        .map(|(party, share): (Party, PartyQuota)| (party, share.lost))
        .filter(|(_, lost)| *lost > 0)
        .collect();
    sort_by_key(&mut lost, |(_, lost)| std::cmp::Reverse(*lost));
    lost
}

/// The readable entries of a map; none if the map was not created.
fn entries<'h, K: Pod + 'h, V: Pod + 'h>(maps: &'h Maps, map: &str) -> impl Iterator<Item = (K, V)> + 'h {
    let map = maps.get(map).and_then(|map| HashMap::<&MapData, K, V>::try_from(map).ok());
    let entries: Vec<_> = map.iter().flat_map(HashMap::iter).filter_map(Result::ok).collect();
    entries.into_iter()
}

/// The key that a refusal shares with equal refusals.
#[must_use]
pub fn of(refusal: &Refusal) -> RefusalKey {
    let socket = &refusal.socket;
    RefusalKey {
        address: socket.address,
        pid: u64::from(evidence::pid(&refusal.header)),
        netns: socket.netns,
        port: socket.port,
        protocol: socket.protocol,
    }
}
