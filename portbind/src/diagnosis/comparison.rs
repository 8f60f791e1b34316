//! Refusals before and after a change, counted by fingerprint.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fingerprint::Fingerprint;
use crate::escape::Escaped;
use crate::order::sort_by_key;

/// The refusals of one side: one or more runs.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Side {
    /// Number of recorded runs.
    pub runs: u64,
    counts: BTreeMap<Fingerprint, u64>,
}

/// How often a fingerprint occurs before and after the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The fingerprint.
    pub fingerprint: Fingerprint,
    /// Refusals before.
    pub before: u64,
    /// Refusals after.
    pub after: u64,
}

/// How a fingerprint changed from before to after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Only after.
    New,
    /// Before and after.
    Still,
    /// Only before.
    Gone,
}

/// The cause or programs that most refusals of a side share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pattern {
    /// Number of refusals that share it.
    pub count: u64,
    /// Number of all refusals.
    pub of: u64,
    /// Code of the shared cause; `None` if the causes differ.
    pub cause: Option<String>,
    /// The shared programs in the way; empty if the programs differ or are unknown.
    pub holders: String,
}

impl Side {
    /// A side with this many runs and no refusal yet.
    #[must_use]
    pub fn new(runs: u64) -> Self {
        Self { runs, counts: BTreeMap::new() }
    }

    /// Counts a refusal.
    pub fn add(&mut self, fingerprint: Fingerprint) {
        let count = self.counts.entry(fingerprint).or_default();
        *count = count.saturating_add(1);
    }

    /// Number of all refusals.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.counts.values().fold(0, |all, count| all.saturating_add(*count))
    }

    /// What more than half of the refusals share, if there are several refusals: the programs in the way, with the
    /// cause if all refusals with these programs have it; otherwise the cause.
    #[must_use]
    pub fn pattern(&self) -> Option<Pattern> {
        let of = self.refusals();
        if of < 2 {
            return None;
        }
        let by_both = self.most(|fingerprint| (Some(&fingerprint.cause), &fingerprint.holders));
        let by_holders = self.most(|fingerprint| (None, &fingerprint.holders));
        let by_cause = self.most(|fingerprint| (Some(&fingerprint.cause), ""));
        let is_of_most = |pattern: &Pattern| pattern.count.saturating_mul(2) > of;
        let is_of_program = |pattern: &Pattern| !pattern.holders.is_empty() && is_of_most(pattern);
        let of_program = [by_holders, by_both].into_iter().flatten().filter(is_of_program);
        of_program.max_by_key(|pattern| pattern.count).or(by_cause.filter(is_of_most))
    }

    /// The most frequent cause and programs in the way, by `key`.
    fn most(&self, key: fn(&Fingerprint) -> (Option<&String>, &str)) -> Option<Pattern> {
        let mut counts: BTreeMap<(Option<&String>, &str), u64> = BTreeMap::new();
        for (fingerprint, count) in &self.counts {
            let all = counts.entry(key(fingerprint)).or_default();
            *all = all.saturating_add(*count);
        }
        let ((cause, holders), count) =
            counts.into_iter().max_by_key(|(key, count)| (*count, Reverse(*key)))?;
        Some(Pattern { count, of: self.refusals(), cause: cause.cloned(), holders: holders.to_owned() })
    }
}

impl Change {
    /// How the fingerprint changed.
    #[must_use]
    pub const fn fate(&self) -> Fate {
        match (self.before, self.after) {
            (0, _) => Fate::New,
            (_, 0) => Fate::Gone,
            _ => Fate::Still,
        }
    }
}

impl Fate {
    /// The word for this fate in the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Still => "still",
            Self::Gone => "gone",
        }
    }
}

/// Every fingerprint of both sides: first the new ones, then the remaining ones, then the gone ones; the most frequent
/// first in each group.
#[must_use]
pub fn compare(before: &Side, after: &Side) -> Vec<Change> {
    let of = |side: &Side, fingerprint: &Fingerprint| side.counts.get(fingerprint).copied().unwrap_or(0);
    let mut all: Vec<&Fingerprint> = before.counts.keys().chain(after.counts.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let mut changes: Vec<Change> = all
        .into_iter()
        .map(|fingerprint| Change {
            fingerprint: fingerprint.clone(),
            before: of(before, fingerprint),
            after: of(after, fingerprint),
        })
        .collect();
    sort_by_key(&mut changes, |change| (change.fate(), Reverse(change.after), Reverse(change.before)));
    changes
}

impl Pattern {
    /// A sentence: `7 of 9 refusals are due to outgoing connections of npm`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { count, of, cause, holders } = self;
        let of_whom = |what: &str| match holders.as_str() {
            "" => what.to_owned(),
            holders => format!("{what} of {holders}"),
        };
        let Some(cause) = cause else { return format!("{count} of {of} refusals are due to {holders}") };
        let what = match cause.as_str() {
            "outgoing" => of_whom("outgoing connections"),
            "listener" => of_whom("listeners"),
            "same-program" => of_whom("other instances"),
            "own-socket" => "sockets of the refused process itself".to_owned(),
            "time-wait" => of_whom("TIME_WAIT connections"),
            "connection" => of_whom("connections"),
            "inherited" => of_whom("inherited descriptors"),
            "bound-not-listening" => of_whom("bound sockets that do not listen"),
            "stale-socket-file" => "stale socket files".to_owned(),
            "port-range-exhausted" => "an exhausted port range".to_owned(),
            other if holders.is_empty() => Escaped(other).to_string(),
            other => format!("{}, held by {holders}", Escaped(other)),
        };
        format!("{count} of {of} refusals are due to {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Fate, Fingerprint, Side, compare};

    fn fingerprint(cause: &str, holders: &str) -> Fingerprint {
        Fingerprint {
            cause: cause.to_owned(),
            caller: "pytest".to_owned(),
            asked: "bind tcp 8080".to_owned(),
            holders: holders.to_owned(),
        }
    }

    fn side(counts: &[(&str, &str, u64)]) -> Side {
        let mut side = Side::new(20);
        for (cause, holders, count) in counts {
            (0..*count).for_each(|_| side.add(fingerprint(cause, holders)));
        }
        side
    }

    #[test]
    fn new_first_then_still_then_gone() {
        let before = side(&[("outgoing", "npm", 7), ("listener", "java", 2), ("time-wait", "curl", 1)]);
        let after = side(&[("listener", "java", 3), ("wildcard", "nginx", 1), ("dual-stack", "node", 4)]);
        let shown: Vec<_> = compare(&before, &after)
            .iter()
            .map(|Change { fingerprint, before, after }| (fingerprint.cause.clone(), *before, *after))
            .collect();
        let expected = [
            ("dual-stack", 0, 4),
            ("wildcard", 0, 1),
            ("listener", 2, 3),
            ("outgoing", 7, 0),
            ("time-wait", 1, 0),
        ];
        assert_eq!(shown, expected.map(|(cause, before, after)| (cause.to_owned(), before, after)));
        assert!(compare(&before, &before).iter().all(|change| change.fate() == Fate::Still));
        assert!(compare(&Side::default(), &Side::default()).is_empty());
    }

    #[test]
    fn patterns_are_of_the_majority() {
        for (counts, expected) in [
            (
                &[("outgoing", "npm", 7), ("listener", "java", 2)][..],
                Some("7 of 9 refusals are due to outgoing connections of npm"),
            ),
            (
                &[("outgoing", "npm", 3), ("outgoing", "curl", 3), ("listener", "java", 2)],
                Some("6 of 8 refusals are due to outgoing connections"),
            ),
            (&[("listener", "java", 1)], None),
            (&[("outgoing", "npm", 2), ("listener", "java", 2)], None),
            (
                &[("outgoing", "npm", 3), ("stolen-free-port", "npm", 3), ("listener", "java", 1)],
                Some("6 of 7 refusals are due to npm"),
            ),
            (
                &[("outgoing", "npm", 4), ("outgoing", "curl", 1)],
                Some("4 of 5 refusals are due to outgoing connections of npm"),
            ),
            (&[("vanished", "", 2)], Some("2 of 2 refusals are due to vanished")),
            (&[], None),
        ] {
            assert_eq!(side(counts).pattern().map(|pattern| pattern.sentence()).as_deref(), expected);
        }
    }
}
