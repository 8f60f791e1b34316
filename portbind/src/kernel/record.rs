//! Parses the bytes of the ring buffer into records, with one checked conversion.

use portbind_abi::{
    Bound, Change, Ended, Header, Holder, Introduction, MAX_HOLDERS, Portless, Refusal, kind,
};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// One record of the ring buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The caller, its request and the error, and the sockets on the port.
    Refusal(&'a Refusal, &'a [Holder]),
    /// A process that the next records refer to.
    Introduction(&'a Introduction),
    /// A socket was bound.
    Bound(&'a Bound),
    /// A socket changed.
    Change(&'a Change),
    /// A descendant of the wrapped command has ended.
    Ended(&'a Ended),
    /// The complete refusal of a portless socket.
    Portless(&'a Portless),
}

/// Bytes that are not a known record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The first word is not a known kind.
    #[error("record of unknown kind {0}")]
    Kind(u32),
    /// Too few bytes for its kind, or not aligned.
    #[error("record of kind {kind} cut short at {len} bytes")]
    Short {
        /// First word.
        kind: u32,
        /// Number of bytes.
        len: usize,
    },
}

impl<'a> Record<'a> {
    /// Whether it is a refusal.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refusal(..) | Self::Portless(_))
    }

    /// Reads one record.
    ///
    /// # Errors
    /// If the bytes are not a record of a known kind.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let kind = match Header::read_from_prefix(bytes) {
            Ok((header, _)) => header.kind,
            Err(_) => return Err(RecordError::Short { kind: 0, len: bytes.len() }),
        };
        match kind {
            kind::REFUSAL => refusal(bytes),
            kind::INTRODUCTION => view(bytes, kind).map(Self::Introduction),
            kind::BOUND => view(bytes, kind).map(Self::Bound),
            kind::CHANGE => view(bytes, kind).map(Self::Change),
            kind::ENDED => view(bytes, kind).map(Self::Ended),
            kind::PORTLESS => view(bytes, kind).map(Self::Portless),
            _ => Err(RecordError::Kind(kind)),
        }
    }
}

/// Parses a refusal and the holders that follow it in its record.
fn refusal(bytes: &[u8]) -> Result<Record<'_>, RecordError> {
    let short = RecordError::Short { kind: kind::REFUSAL, len: bytes.len() };
    let (refusal, rest) = Refusal::ref_from_prefix(bytes).map_err(|_| short)?;
    let count = refusal.holders.min(MAX_HOLDERS) as usize;
    let (holders, _) = <[Holder]>::ref_from_prefix_with_elems(rest, count).map_err(|_| short)?;
    Ok(Record::Refusal(refusal, holders))
}

fn view<T: FromBytes + KnownLayout + Immutable>(bytes: &[u8], kind: u32) -> Result<&T, RecordError> {
    T::ref_from_prefix(bytes)
        .map(|(record, _)| record)
        .map_err(|_| RecordError::Short { kind, len: bytes.len() })
}

#[cfg(test)]
mod tests {
    use portbind_abi as abi;
    use proptest::prelude::*;
    use zerocopy::{FromZeros as _, IntoBytes};

    use super::*;

    #[test]
    fn reads_back_all_that_the_kernel_writes() {
        let header = Header { kind: kind::ENDED, reserved: 0, task: 7 << 32 | 7, time: 1 };
        let ended = Ended { header, start_time: 98, status: 1, reserved: 0 };
        assert_eq!(Record::parse(ended.as_bytes()), Ok(Record::Ended(&ended)));
        let short = &ended.as_bytes()[..32];
        assert_eq!(Record::parse(short), Err(RecordError::Short { kind: kind::ENDED, len: 32 }));
        let unknown = Header { kind: 99, ..header };
        assert_eq!(Record::parse(unknown.as_bytes()), Err(RecordError::Kind(99)));
        assert_eq!(Record::parse(&[]), Err(RecordError::Short { kind: 0, len: 0 }));
    }

    #[test]
    fn a_refusal_has_its_holders_behind_it() {
        let header = Header { kind: kind::REFUSAL, ..Header::new_zeroed() };
        let refusal = Refusal { header, holders: 2, ..Refusal::new_zeroed() };
        let holders = [5, 6].map(|id| Holder { id, ..Holder::new_zeroed() });
        let bytes = [refusal.as_bytes(), holders.as_bytes()].concat();
        let mut words = vec![0_u64; bytes.len() / 8];
        words.as_mut_bytes().copy_from_slice(&bytes);
        assert_eq!(bytes.len(), refusal.bytes());
        assert_eq!(Record::parse(words.as_bytes()), Ok(Record::Refusal(&refusal, &holders)));
        let cut = &words.as_bytes()[..bytes.len() - 1];
        assert_eq!(Record::parse(cut), Err(RecordError::Short { kind: kind::REFUSAL, len: cut.len() }));
    }

    #[test]
    fn eight_thousand_refusals_fit() {
        assert!(abi::ONE_HOLDER_LEN.next_multiple_of(8) <= 262);
    }

    proptest! {
        #[test]
        fn never_panics(words in proptest::collection::vec(any::<u64>(), 0..128), kind in 0_u32..8) {
            let mut words = words;
            if let Some(first) = words.first_mut() {
                *first = u64::from(kind);
            }
            let _ = Record::parse(words.as_bytes());
        }
    }
}
