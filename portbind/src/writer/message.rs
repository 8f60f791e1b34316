//! The requests to the helper and its answers: one packet each, whose first byte is the kind.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::refused::Refused;

/// The name of the hidden verb that starts the helper process.
pub(crate) const VERB: &str = "__writer";
/// The longest packet in bytes; a path has at most `PATH_MAX` bytes (include/uapi/linux/limits.h), 4,096.
pub(super) const MAX_PACKET: usize = 32 << 10;
/// Bytes of one [`Request::Part`].
pub(super) const MAX_PART: usize = MAX_PACKET - 1;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Open a file to append to; create it if it does not exist. Answer: [`Response::File`].
    Append(PathBuf),
    /// Open an existing regular file to append to. Answer: [`Response::File`].
    AppendExisting(PathBuf),
    /// Create a file that all users may read; it must not exist. Answer: [`Response::File`].
    Create(PathBuf),
    /// Create a temporary file that will replace this file. Answer: [`Response::Temporary`], or [`Response::File`] if
    /// the file itself is to be overwritten.
    Replace(PathBuf),
    /// Rename a temporary file to its final name. Answer: [`Response::Done`].
    Finish(u8),
    /// Restrict the helper to the files opened so far, and to the file at this path, if given. Answer:
    /// [`Response::Done`].
    Seal(Option<PathBuf>),
    /// Bytes that belong to the next request of another kind. No answer.
    Part(Vec<u8>),
    /// The parts so far are the caller's environment. Answer: [`Response::Done`].
    Environment,
    /// The parts so far are a page for the Buildkite agent. Answer: [`Response::Ended`], [`Response::Late`] or
    /// [`Response::Absent`].
    Annotate,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// The request was carried out; also the greeting after the helper has taken the rights of the caller.
    Done,
    /// The descriptor of the file is attached.
    File,
    /// The descriptor of the temporary file with this number is attached.
    Temporary(u8),
    /// The agent is not in the caller's search path.
    Absent,
    /// The agent has ended with this wait status.
    Ended(i32),
    /// The agent took too long.
    Late,
    /// A system call failed with this number.
    Failed(i32),
    /// The file must not be opened.
    Refused(Refused),
}

impl Request {
    /// The packet.
    pub(super) fn encode(&self) -> Vec<u8> {
        let path = |kind: u8, path: &Path| [&[kind], path.as_os_str().as_bytes()].concat();
        match self {
            Self::Append(file) => path(0, file),
            Self::AppendExisting(file) => path(1, file),
            Self::Create(file) => path(2, file),
            Self::Replace(file) => path(3, file),
            Self::Finish(number) => vec![4, *number],
            Self::Part(bytes) => [&[5], bytes.as_slice()].concat(),
            Self::Environment => vec![6],
            Self::Annotate => vec![7],
            Self::Seal(later) => path(8, later.as_deref().unwrap_or(Path::new(""))),
        }
    }

    /// Parses a packet; `None` if it is not a request.
    pub(super) fn decode(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first()?;
        Some(match (kind, rest) {
            (0, _) => Self::Append(path(rest)),
            (1, _) => Self::AppendExisting(path(rest)),
            (2, _) => Self::Create(path(rest)),
            (3, _) => Self::Replace(path(rest)),
            (4, [number]) => Self::Finish(*number),
            (5, _) => Self::Part(rest.to_vec()),
            (6, []) => Self::Environment,
            (7, []) => Self::Annotate,
            (8, _) => Self::Seal(Some(path(rest)).filter(|path| !path.as_os_str().is_empty())),
            _ => return None,
        })
    }
}

impl Response {
    /// The packet.
    pub(super) fn encode(&self) -> Vec<u8> {
        let number = |kind: u8, number: i32| [&[kind], number.to_le_bytes().as_slice()].concat();
        match self {
            Self::Done => vec![0],
            Self::File => vec![1],
            Self::Temporary(number) => vec![2, *number],
            Self::Absent => vec![3],
            Self::Ended(status) => number(4, *status),
            Self::Late => vec![5],
            Self::Failed(error) => number(6, *error),
            Self::Refused(Refused::Link(at)) => [&[7], at.as_os_str().as_bytes()].concat(),
            Self::Refused(Refused::HardLink) => vec![8],
            Self::Refused(Refused::Foreign) => vec![9],
            Self::Refused(Refused::NoReader) => vec![10],
            Self::Refused(Refused::Special) => vec![11],
            Self::Refused(Refused::Gone | Refused::Silent | Refused::Stopped | Refused::Nonsense) => vec![12],
        }
    }

    /// Parses a packet; `None` if it is not an answer.
    pub(super) fn decode(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first()?;
        let number = || rest.try_into().ok().map(i32::from_le_bytes);
        Some(match (kind, rest) {
            (0, []) => Self::Done,
            (1, []) => Self::File,
            (2, [number]) => Self::Temporary(*number),
            (3, []) => Self::Absent,
            (4, _) => Self::Ended(number()?),
            (5, []) => Self::Late,
            (6, _) => Self::Failed(number()?),
            (7, _) => Self::Refused(Refused::Link(path(rest))),
            (8, []) => Self::Refused(Refused::HardLink),
            (9, []) => Self::Refused(Refused::Foreign),
            (10, []) => Self::Refused(Refused::NoReader),
            (11, []) => Self::Refused(Refused::Special),
            (12, []) => Self::Refused(Refused::Nonsense),
            _ => return None,
        })
    }
}

impl From<&io::Error> for Response {
    fn from(error: &io::Error) -> Self {
        let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<Refused>());
        match (refused, error.raw_os_error()) {
            (Some(refused), _) => Self::Refused(refused.clone()),
            (None, Some(number)) => Self::Failed(number),
            (None, None) => Self::Failed(rustix::io::Errno::IO.raw_os_error()),
        }
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_packet_is_a_request_or_none(packet in vec(any::<u8>(), 0..40)) {
            if let Some(request) = Request::decode(&packet) {
                prop_assert_eq!(request.encode(), packet);
            }
        }

        #[test]
        fn any_packet_is_an_answer_or_none(packet in vec(any::<u8>(), 0..40)) {
            if let Some(response) = Response::decode(&packet) {
                prop_assert_eq!(response.encode(), packet);
            }
        }
    }

    #[test]
    fn a_request_survives_the_way() {
        let strange = PathBuf::from(OsString::from_vec(vec![b'/', 0xff, b'\n']));
        for request in [
            Request::Append(strange.clone()),
            Request::AppendExisting(strange.clone()),
            Request::Create(PathBuf::new()),
            Request::Replace(strange),
            Request::Finish(255),
            Request::Part(vec![0; MAX_PART]),
            Request::Environment,
            Request::Annotate,
        ] {
            let packet = request.encode();
            assert!(packet.len() <= MAX_PACKET);
            assert_eq!(Request::decode(&packet), Some(request));
        }
    }

    #[test]
    fn an_error_keeps_its_reason() {
        let refused = io::Error::other(Refused::Link("a/b".into()));
        assert_eq!(Response::from(&refused), Response::Refused(Refused::Link("a/b".into())));
        assert_eq!(Response::from(&io::Error::from_raw_os_error(13)), Response::Failed(13));
        assert_eq!(Response::from(&io::Error::other("no number")), Response::Failed(5));
    }
}
