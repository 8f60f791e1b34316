//! Refusals that were only counted, because others like them had just been told: how many there were.

use std::num::NonZeroUsize;
use std::rc::Rc;

use jiff::Timestamp;
use lru::LruCache;
use portbind_ebpf::abi::{Alike, MAX_ALIKE};

use crate::diagnosis::event::{Refusal, Repeat};

/// Kinds of refusals that are remembered: as many as the kernel half does.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(MAX_ALIKE as usize).unwrap();

/// What they have in common, as bytes.
type Key = [u8; size_of::<Alike>()];

/// The last one told of each kind.
#[derive(Debug)]
pub(super) struct Repeats {
    told: LruCache<Key, Told>,
}

#[derive(Debug)]
struct Told {
    /// Its repetition, if there is one.
    repeat: Repeat,
    /// How many were counted only, and are told.
    counted: u64,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { told: LruCache::new(REMEMBERED) }
    }

    /// A refusal was told.
    pub(super) fn told(&mut self, alike: Alike, refusal: &Refusal) {
        let repeat = Repeat {
            time: refusal.time,
            refused: refusal.time,
            count: 0,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            cause: refusal.cause.code,
        };
        let key = key(&alike);
        let counted = self.told.peek(&key).map_or(0, |told| told.counted);
        self.told.put(key, Told { repeat, counted });
    }

    /// What was not told yet of those that were counted by `now`.
    pub(super) fn take(&mut self, counted: &[(Alike, u64)], now: Timestamp) -> Vec<Repeat> {
        let mut repeats = Vec::new();
        for (alike, count) in counted {
            let Some(told) = self.told.peek_mut(&key(alike)) else { continue };
            if *count > told.counted {
                repeats.push(Repeat { time: now, count: count - told.counted, ..told.repeat.clone() });
            }
            // The kernel half may have forgotten this kind, and begun anew.
            told.counted = *count;
        }
        repeats.sort_by_key(|repeat| repeat.refused);
        repeats
    }
}

fn key(alike: &Alike) -> Key {
    zerocopy::transmute!(*alike)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn each_is_told_once() {
        let (mut repeats, refusal) = (Repeats::new(), samples::listener());
        let alike = Alike { address: [0; 4], pid: 1, netns: 2, port: 8080, protocol: 6 };
        let other = Alike { port: 8081, ..alike };
        let mut counts = |counted: &[(Alike, u64)]| -> Vec<u64> {
            repeats.told(alike, &refusal);
            repeats.take(counted, refusal.time).iter().map(|repeat| repeat.count).collect()
        };
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&[(alike, 5), (other, 3)]), [5]);
        assert_eq!(counts(&[(alike, 5)]), [0; 0]);
        assert_eq!(counts(&[(alike, 7)]), [2]);
        assert_eq!(counts(&[(alike, 1)]), [0; 0]);
        assert_eq!(counts(&[(alike, 4)]), [3]);
    }
}
