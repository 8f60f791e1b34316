//! Refusals that the kernel half only counted: others like them had just been sent, or there was no room for them.

use std::collections::HashMap as Known;

use aya::Pod;
use aya::maps::{HashMap, MapData};
use portbind_abi::{Count, Party, PartyQuota, Quota, Refusal, RefusalKey};
use zerocopy::{FromBytes, IntoBytes};

use super::evidence;
use super::maps::Maps;

/// The map of those that are alike.
const COUNTS: &str = "COUNTS";
/// The map of what processes had of a window of time.
const QUOTAS: &str = "QUOTAS";
/// The map of what parties had of it.
const PARTIES: &str = "PARTIES";

/// Keys and values as bytes: they are plain integers without gaps.
type KeyBytes = [u8; size_of::<RefusalKey>()];
type CountBytes = [u8; size_of::<Count>()];
type QuotaBytes = [u8; size_of::<Quota>()];
type PartyBytes = [u8; size_of::<Party>()];
type PartyShareBytes = [u8; size_of::<PartyQuota>()];

/// What was counted since the last time, of one kind or of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More<K, V> {
    /// What they have in common.
    pub key: K,
    /// All that was counted, and when.
    pub value: V,
    /// How many there are that were not there the last time.
    pub count: u64,
    /// What it was the last time.
    pub before: Option<V>,
}

/// What is known of the maps of counts from the last time they were read; no larger than they are.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counts: Known<KeyBytes, Count>,
    quotas: Known<u32, Quota>,
}

impl Counts {
    /// Those that are alike, as far as the map can be read while it changes.
    pub(super) fn take_counts(&mut self, maps: &mut Maps) -> Vec<More<RefusalKey, Count>> {
        let more = more::<KeyBytes, CountBytes, Count>(maps, COUNTS, &mut self.counts, |often| often.more);
        let typed = |more: More<KeyBytes, Count>| {
            let More { key, value, count, before } = more;
            More { key: zerocopy::transmute!(key), value, count, before }
        };
        more.into_iter().map(typed).collect()
    }

    /// Those that were counted without a look, by thread group id.
    pub(super) fn take_quotas(&mut self, maps: &mut Maps) -> Vec<More<u32, Quota>> {
        more::<u32, QuotaBytes, Quota>(maps, QUOTAS, &mut self.quotas, |share| share.more)
    }
}

/// What there is more in a map than the last time. What has not changed since then is taken out of it: the kernel half
/// begins anew with those when it has to.
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
        // The kernel half may have begun anew with it.
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

/// Takes entries out of a map. Who counts one there at this moment counts it in vain: it is missing in the sum, and so is
/// accounted for as lost. An entry that cannot be taken out stays, and is counted on.
fn forget<K: Pod, V: Pod>(maps: &mut Maps, map: &str, stale: &[K]) {
    let Ok(map) = maps.get_mut(map) else { return };
    let Ok(mut map) = HashMap::<_, K, V>::try_from(map) else { return };
    for key in stale {
        drop(map.remove(key));
    }
}

/// How many refusals of each party were lost, as far as they are remembered, most first.
pub(super) fn lost(maps: &Maps) -> Vec<(Party, u64)> {
    let entries = entries::<PartyBytes, PartyShareBytes>(maps, PARTIES);
    let lost = entries.map(|(party, share)| (zerocopy::transmute!(party), zerocopy::transmute!(share)));
    let mut lost: Vec<_> = lost
        .map(|(party, share): (Party, PartyQuota)| (party, share.lost))
        .filter(|(_, lost)| *lost > 0)
        .collect();
    lost.sort_by_key(|(_, lost)| std::cmp::Reverse(*lost));
    lost
}

/// What can be read of a map; nothing if it was not made.
fn entries<'h, K: Pod + 'h, V: Pod + 'h>(maps: &'h Maps, map: &str) -> impl Iterator<Item = (K, V)> + 'h {
    let map = maps.get(map).and_then(|map| HashMap::<&MapData, K, V>::try_from(map).ok());
    let entries: Vec<_> = map.iter().flat_map(HashMap::iter).filter_map(Result::ok).collect();
    entries.into_iter()
}

/// What a refusal has in common with those that are alike.
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
