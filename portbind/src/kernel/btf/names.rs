//! Searches for names among a hundred thousand.

use super::reader;

/// Bytes of a name that suffice to rule out most names; the closing NUL counts.
const HEAD: usize = 4;
/// Bits of a head's hash.
const SUM_BITS: u32 = 12;
/// Words of a set with one bit per hash.
const WORDS: usize = 1 << (SUM_BITS - u64::BITS.ilog2());

/// Names to search for. The head of a name rules out most mismatches without searching for the name's end.
#[derive(Debug)]
pub(super) struct Names<'n> {
    /// Sorted, without duplicates.
    names: Vec<&'n str>,
    /// The hashes of their heads, one bit each.
    sums: [u64; WORDS],
}

impl<'n> Names<'n> {
    pub(super) fn new(names: &[&'n str]) -> Self {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        let mut this = Self { names, sums: [0; WORDS] };
        for name in &this.names {
            let closed = [name.as_bytes(), b"\0"].concat();
            match closed.first_chunk() {
                Some(head) => {
                    let (word, bit) = place(*head);
                    if let Some(sums) = this.sums.get_mut(word) {
                        *sums |= bit;
                    }
                }
                // Any bytes can follow the name's NUL.
                None => this.sums = [u64::MAX; WORDS],
            }
        }
        this
    }

    /// All names, in their order.
    pub(super) fn as_slice(&self) -> &[&'n str] {
        &self.names
    }

    /// Which of the names, by index, is at `offset` of the strings.
    #[inline]
    pub(super) fn find(&self, strings: &[u8], offset: u32) -> Option<usize> {
        if let Some(head) = strings.get(offset as usize..)?.first_chunk::<HEAD>() {
            let (word, bit) = place(*head);
            if self.sums.get(word)? & bit == 0 {
                return None;
            }
        }
        let name = reader::name(strings, offset)?;
        self.names.binary_search_by(|known| known.as_bytes().cmp(name)).ok()
    }
}

/// Word and bit of a hash: multiplication by the golden ratio (`GOLDEN_RATIO_32`, include/linux/hash.h) spreads heads
/// over the upper bits.
fn place(head: [u8; HEAD]) -> (usize, u64) {
    let sum = u32::from_le_bytes(head).wrapping_mul(0x61c8_8647) >> (u32::BITS - SUM_BITS);
    ((sum / u64::BITS) as usize, 1 << (sum % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRINGS: &[u8] = b"\0inet_bind\0sock\0inet_listen\0fs\0ab\0";

    #[test]
    fn names_are_seen() {
        let names = Names::new(&["sock", "inet_listen", "sock"]);
        assert_eq!(names.as_slice(), ["inet_listen", "sock"]);
        let at = |name: &str| {
            let offset = STRINGS.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
            names.find(STRINGS, u32::try_from(offset).unwrap())
        };
        assert_eq!(at("inet_listen\0"), Some(0));
        assert_eq!(at("sock\0"), Some(1));
        assert_eq!(at("inet_bind\0"), None);
        assert_eq!(at("listen\0"), None);
        assert_eq!(at("fs\0"), None);
        assert_eq!(names.find(STRINGS, 0), None);
        assert_eq!(names.find(STRINGS, 1000), None);
    }

    #[test]
    fn short_names_are_seen_anywhere() {
        let names = Names::new(&["ab", "fs"]);
        let end = u32::try_from(STRINGS.len()).unwrap();
        assert_eq!(names.find(STRINGS, end - 3), Some(0));
        assert_eq!(names.find(STRINGS, end - 6), Some(1));
        assert_eq!(names.find(STRINGS, 1), None);
    }
}
