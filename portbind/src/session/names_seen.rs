//! Results of name searches. A result holds for every refusal before its search, so a burst needs only one search.

use portbind_abi::FileView;

use super::bounded::{Bounded, Usage};

/// Limit for the bytes of stored results.
const KNOWN: usize = 128 * 1024;

/// The inputs that determine the result of a search: the process (pid and start), its view of the file system, and the
/// sockaddr and type of the requesting socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) pid: u32,
    pub(super) start_time: u64,
    pub(super) netns: u32,
    pub(super) family: u16,
    pub(super) protocol: u16,
    pub(super) socket_type: u16,
    pub(super) sockaddr: Box<[u8]>,
    pub(super) view: FileView,
}

/// The last result for each question, with the time when its search began.
#[derive(Debug)]
pub(super) struct NamesSeen<V>(Bounded<Question, (u64, V)>);

impl<V: Clone> NamesSeen<V> {
    pub(super) fn new() -> Self {
        Self(Bounded::new(KNOWN))
    }

    pub(super) const fn usage(&self) -> Usage {
        self.0.usage()
    }

    /// The last result, if its search began after the refusal at time `refused`.
    pub(super) fn after(&mut self, question: &Question, refused: u64) -> Option<V> {
        let (looked, answer) = self.0.get(question)?;
        (refused <= *looked).then(|| answer.clone())
    }

    /// The last result, whatever the time of its search.
    pub(super) fn last(&mut self, question: &Question) -> Option<V> {
        self.0.get(question).map(|(_, answer)| answer.clone())
    }

    /// Stores a result of `heap` bytes, whose search began at time `looked`.
    pub(super) fn note(&mut self, question: Question, looked: u64, answer: V, heap: usize) {
        let bytes = size_of::<(Question, u64, V)>() + question.sockaddr.len() + heap;
        self.0.put(question, (looked, answer), bytes);
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros as _;

    use super::*;

    fn question(pid: u32) -> Question {
        Question {
            pid,
            start_time: 7,
            netns: 1,
            family: 1,
            protocol: 0,
            socket_type: 1,
            sockaddr: Box::from(*b"\x01\x00/run/x"),
            view: FileView::new_zeroed(),
        }
    }

    #[test]
    fn a_search_holds_for_all_that_was_refused_before_it() {
        let mut seen = NamesSeen::new();
        assert_eq!(seen.after(&question(5), 10), None);
        seen.note(question(5), 100, "it", 0);
        assert_eq!(seen.after(&question(5), 100), Some("it"));
        assert_eq!(seen.after(&question(5), 101), None);
        assert_eq!(seen.last(&question(5)), Some("it"));
        assert_eq!((seen.after(&question(6), 10), seen.last(&question(6))), (None, None));
    }

    #[test]
    fn all_that_is_remembered_is_bounded() {
        let mut seen = NamesSeen::new();
        for pid in 0..10_000 {
            seen.note(question(pid), 100, pid, 100);
        }
        assert!(seen.usage().bytes <= KNOWN && seen.usage().evicted > 0);
    }
}
