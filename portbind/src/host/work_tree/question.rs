//! The question to the helper, and its answer, both of a fixed size.

use super::head::{LONGEST_NAME, is_name};

/// Bytes of the longest folder.
const LONGEST_FOLDER: usize = 1024;
/// Bytes of a question: user, group, the length of the folder, and the folder. The root of the process comes with it.
pub(super) const QUESTION: usize = 12 + LONGEST_FOLDER;
/// Bytes of an answer: the length of the name, and the name.
pub(super) const ANSWER: usize = 1 + LONGEST_NAME;

/// A process, as far as its work tree depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question<'a> {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The working folder, from the root of the process.
    pub(super) folder: &'a [u8],
}

impl<'a> Question<'a> {
    /// The encoded question; `None` if the folder is too long.
    pub(super) fn to_bytes(self) -> Option<[u8; QUESTION]> {
        let len = u32::try_from(self.folder.len()).ok()?;
        let mut bytes = [0; QUESTION];
        let (head, room) = bytes.split_at_mut(QUESTION - LONGEST_FOLDER);
        room.get_mut(..self.folder.len())?.copy_from_slice(self.folder);
        for (field, value) in head.chunks_exact_mut(4).zip([self.uid, self.gid, len]) {
            field.copy_from_slice(&value.to_ne_bytes());
        }
        Some(bytes)
    }

    /// The question that these bytes encode.
    pub(super) fn of_bytes(bytes: &'a [u8; QUESTION]) -> Option<Self> {
        let (head, room) = bytes.split_at(QUESTION - LONGEST_FOLDER);
        let mut fields = head.as_chunks().0.iter().map(|field| u32::from_ne_bytes(*field));
        let (uid, gid, len) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self { uid, gid, folder: room.get(..usize::try_from(len).ok()?)? })
    }
}

/// The encoded answer.
pub(super) fn answer(branch: Option<&str>) -> [u8; ANSWER] {
    let mut bytes = [0; ANSWER];
    let name = branch.unwrap_or_default().as_bytes();
    if let (Ok(len), Some(room)) = (u8::try_from(name.len()), bytes.get_mut(1..=name.len())) {
        room.copy_from_slice(name);
        bytes[0] = len;
    }
    bytes
}

/// The branch in an answer. The helper may have been taken over, so the name is checked again.
pub(super) fn branch(bytes: &[u8; ANSWER]) -> Option<String> {
    let (len, name) = bytes.split_first()?;
    let name = std::str::from_utf8(name.get(..usize::from(*len))?).ok()?;
    is_name(name).then(|| name.to_owned())
}
