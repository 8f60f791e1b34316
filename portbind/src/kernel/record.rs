//! Bytes of the ring buffer to records: one checked conversion, no guessing.

use portbind_ebpf::abi::{Bound, Change, Ended, Header, Holder, Introduction, Named, Refusal, kind};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// One record of the ring buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Who asked for what, and what came of it.
    Refusal(&'a Refusal),
    /// A socket on the port.
    Holder(&'a Holder),
    /// A process that is about to be told of.
    Introduction(&'a Introduction),
    /// A socket was bound.
    Bound(&'a Bound),
    /// Something happened to a socket.
    Change(&'a Change),
    /// A process of the family has ended.
    Ended(&'a Ended),
    /// A whole refusal of a socket without a port.
    Named(&'a Named),
}

/// Bytes that are no record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The first word names no record.
    #[error("record of unknown kind {0}")]
    Kind(u32),
    /// Too few bytes for its kind, or not aligned.
    #[error("record of kind {kind} cut short at {len} bytes")]
    Short {
        /// First word.
        kind: u32,
        /// Bytes there are.
        len: usize,
    },
}

impl<'a> Record<'a> {
    /// Whether it is the first, or only, record of a refusal.
    #[must_use]
    pub const fn opens_a_refusal(&self) -> bool {
        matches!(self, Self::Refusal(_) | Self::Named(_))
    }

    /// Reads one record.
    ///
    /// # Errors
    /// If the bytes are no record of the known kinds.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let kind = match Header::read_from_prefix(bytes) {
            Ok((header, _)) => header.kind,
            Err(_) => return Err(RecordError::Short { kind: 0, len: bytes.len() }),
        };
        match kind {
            kind::REFUSAL => view(bytes, kind).map(Self::Refusal),
            kind::HOLDER => view(bytes, kind).map(Self::Holder),
            kind::INTRODUCTION => view(bytes, kind).map(Self::Introduction),
            kind::BOUND => view(bytes, kind).map(Self::Bound),
            kind::CHANGE => view(bytes, kind).map(Self::Change),
            kind::ENDED => view(bytes, kind).map(Self::Ended),
            kind::NAMED => view(bytes, kind).map(Self::Named),
            _ => Err(RecordError::Kind(kind)),
        }
    }
}

fn view<T: FromBytes + KnownLayout + Immutable>(bytes: &[u8], kind: u32) -> Result<&T, RecordError> {
    T::ref_from_prefix(bytes)
        .map(|(record, _)| record)
        .map_err(|_| RecordError::Short { kind, len: bytes.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    use super::*;

    #[test]
    fn reads_back_what_the_kernel_half_writes() {
        let header = Header { kind: kind::ENDED, reserved: 0, task: 7 << 32 | 7, time: 1 };
        let ended = Ended { header, start_time: 98, status: 1, reserved: 0 };
        assert_eq!(Record::parse(ended.as_bytes()), Ok(Record::Ended(&ended)));
        let short = &ended.as_bytes()[..32];
        assert_eq!(Record::parse(short), Err(RecordError::Short { kind: kind::ENDED, len: 32 }));
        let unknown = Header { kind: 99, ..header };
        assert_eq!(Record::parse(unknown.as_bytes()), Err(RecordError::Kind(99)));
        assert_eq!(Record::parse(&[]), Err(RecordError::Short { kind: 0, len: 0 }));
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
