//! Refusals that the kernel half only counted: others like them had just been told, or they came too fast to be
//! looked at.

use aya::Pod;
use aya::maps::{HashMap, MapData};
use portbind_ebpf::abi::{Alike, Endpoint, Header, Often, Refusal, Share};

use super::evidence;
use super::half::Half;

/// The map of those that are alike.
pub(super) const MAP: &str = "ALIKE";
/// The map of what processes had of a window of time.
const SHARES: &str = "SHARES";

/// The bytes of a key and of a value, which are plain integers without gaps.
type KeyBytes = [u8; size_of::<Alike>()];
type ValueBytes = [u8; size_of::<Often>()];
type ShareBytes = [u8; size_of::<Share>()];

/// How many of each kind were only counted, as far as the map can be read while it changes.
pub(super) fn counted(half: &Half) -> Vec<(Alike, u64)> {
    let entries = entries::<KeyBytes, ValueBytes>(half, MAP);
    let entries = entries.map(|(key, value)| (zerocopy::transmute!(key), zerocopy::transmute!(value)));
    entries.map(|(alike, often): (Alike, Often)| (alike, often.more)).filter(|(_, more)| *more > 0).collect()
}

/// How many refusals of each process were counted without a look, by thread group id.
pub(super) fn not_looked_at(half: &Half) -> Vec<(u32, u64)> {
    let entries = entries::<u32, ShareBytes>(half, SHARES);
    let entries = entries.map(|(pid, value)| (pid, zerocopy::transmute!(value)));
    entries.map(|(pid, share): (u32, Share)| (pid, share.more)).filter(|(_, more)| *more > 0).collect()
}

/// What can be read of a map; nothing if it was not made.
fn entries<'h, K: Pod + 'h, V: Pod + 'h>(half: &'h Half, map: &str) -> impl Iterator<Item = (K, V)> + 'h {
    let map = half.map(map).and_then(|map| HashMap::<&MapData, K, V>::try_from(map).ok());
    let entries: Vec<_> = map.iter().flat_map(HashMap::iter).filter_map(Result::ok).collect();
    entries.into_iter()
}

/// What a refusal has in common with those that are alike.
#[must_use]
pub fn of(refusal: &Refusal) -> Alike {
    let Endpoint { address, netns, port, protocol, .. } = refusal.socket.endpoint;
    Alike { address, pid: pid(&refusal.header), netns, port, protocol }
}

fn pid(header: &Header) -> u64 {
    u64::from(evidence::pid(header))
}
