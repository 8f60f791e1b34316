//! Packs bytes as a block of LZ4 that is as short as the format allows for: a block is packed once, and unpacked at
//! every start.

use std::collections::HashMap;
use std::iter;

/// The shortest match, and how far back a match can be.
const SHORTEST: usize = 4;
const WINDOW: usize = 65_535;
/// Only places with so many equal bytes are compared: shorter matches save a byte, and the search takes twice as long.
const KEY: usize = 6;
/// Places that are compared for one match, until a match is long enough. More make the block 1 % shorter.
const COMPARED: usize = 256;
const ENOUGH: usize = 128;
/// Matches that are longer are tried as a whole, and not also shortened by one byte after the other.
const SHORTENED: usize = 64;
/// The last match begins this many bytes before the end, and leaves this many literals.
const LAST_MATCH: usize = 12;
const LAST_LITERALS: usize = 5;

/// Bytes that stood before, this far back. Without a length, it is a literal.
#[derive(Clone, Copy, Default)]
struct Match {
    len: usize,
    offset: usize,
}

/// A block behind the size of its content, as `lz4_flex::block::decompress_size_prepended` reads it.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = bytes.len().to_le_bytes()[..4].to_vec();
    let (mut at, mut literals) = (0, 0);
    for step in cheapest(bytes, &longest(bytes)) {
        if step.len == 0 {
            literals += 1;
        } else {
            sequence(&mut packed, &bytes[at - literals..at], Some(step));
            literals = 0;
        }
        at += step.len.max(1);
    }
    sequence(&mut packed, &bytes[at - literals..], None);
    packed
}

/// For each place, a long match that begins there.
fn longest(bytes: &[u8]) -> Vec<Match> {
    let mut matches = vec![Match::default(); bytes.len()];
    let mut last = HashMap::new();
    // For each place, the one before with the same first bytes.
    let mut before = vec![None; bytes.len()];
    for at in 0..bytes.len().saturating_sub(LAST_MATCH) {
        before[at] = last.insert(&bytes[at..at + KEY], at);
        let Match { len, offset } = at.checked_sub(1).map_or_else(Match::default, |at| matches[at]);
        let mut best = Match { len: len.saturating_sub(1), offset };
        let places = iter::successors(before[at], |place| before[*place]);
        for place in places.take_while(|place| at - place <= WINDOW).take(COMPARED) {
            if best.len >= ENOUGH {
                break;
            }
            let (here, there) = (&bytes[at..bytes.len() - LAST_LITERALS], &bytes[place..]);
            if here.get(best.len) == there.get(best.len) {
                let len = here.iter().zip(there).take_while(|(one, other)| one == other).count();
                if len > best.len {
                    best = Match { len, offset: at - place };
                }
            }
        }
        matches[at] = best;
    }
    matches
}

/// The literals and matches that take the fewest bytes, found from the end.
fn cheapest(bytes: &[u8], matches: &[Match]) -> Vec<Match> {
    let mut steps = vec![Match::default(); bytes.len()];
    let mut costs = vec![0; bytes.len() + 1];
    for at in (0..bytes.len()).rev() {
        costs[at] = costs[at + 1] + 1;
        let Match { len, offset } = matches[at];
        for len in (SHORTEST..=len.min(SHORTENED)).chain((len > SHORTENED).then_some(len)) {
            let cost = 3 + further(len - SHORTEST).count() + costs[at + len];
            if cost < costs[at] {
                (costs[at], steps[at]) = (cost, Match { len, offset });
            }
        }
    }
    let next = |at: usize| at + steps.get(at).map_or(1, |step| step.len.max(1));
    iter::successors(Some(0), |at| Some(next(*at))).map_while(|at| steps.get(at).copied()).collect()
}

/// Literals, and the match behind them: all but the last literals have one.
fn sequence(packed: &mut Vec<u8>, literals: &[u8], behind: Option<Match>) {
    let len = behind.map_or(0, |found| found.len - SHORTEST);
    packed.push((literals.len().min(15) << 4 | len.min(15)).to_le_bytes()[0]);
    packed.extend(further(literals.len()));
    packed.extend(literals);
    if let Some(found) = behind {
        packed.extend(&found.offset.to_le_bytes()[..2]);
        packed.extend(further(len));
    }
}

/// The bytes of a length that has no room in the token.
fn further(len: usize) -> impl Iterator<Item = u8> {
    let rest = len.checked_sub(15);
    let last = rest.map(|rest| (rest % 255).to_le_bytes()[0]);
    iter::repeat_n(u8::MAX, rest.unwrap_or(0) / 255).chain(last)
}
