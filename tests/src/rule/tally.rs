//! The results of the pairs.

use std::collections::BTreeMap;

use portbind::diagnosis::rule::Clause;

use super::ask::Answer;

/// Counts results, and prints disagreements as they occur.
#[derive(Debug, Default)]
pub(super) struct Tally {
    clauses: BTreeMap<Clause, u64>,
    pub(super) disagreements: u64,
}

impl Tally {
    /// Counts the results of a pair, which `describe` describes.
    pub(super) fn add(&mut self, answers: &[Answer], describe: impl Fn() -> String) {
        for answer in answers {
            *self.clauses.entry(answer.outcome.clause).or_default() += 1;
            if answer.refused == answer.outcome.clause.refuses() {
                continue;
            }
            let kernel = if answer.refused { "EADDRINUSE" } else { "no error" };
            self.disagreements += 1;
            let (pair, call, outcome) = (describe(), answer.call, answer.outcome);
            println!("{pair}: {call}: the kernel says {kernel}, the rule {outcome:?}");
        }
    }

    /// Prints the sums.
    pub(super) fn print(&self, release: &str, pairs: u64) {
        let refused = self.sum(true);
        let free = self.sum(false);
        println!("rule on {release}: {pairs} pairs, {} calls", free + refused);
        for (clause, count) in &self.clauses {
            let verdict = if clause.refuses() { "refused" } else { "free" };
            println!("{count:>9}  {verdict:<7}  {clause:?}");
        }
        println!("rule: {free} free, {refused} refused, {} disagreements", self.disagreements);
    }

    fn sum(&self, refuses: bool) -> u64 {
        let counts = self.clauses.iter().filter(|(clause, _)| clause.refuses() == refuses);
        counts.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use portbind::diagnosis::rule::Outcome;

    use super::*;

    #[test]
    fn disagreements_are_kept() {
        let answer =
            |clause, refused| Answer { call: "bind", outcome: Outcome { clause, holder: None }, refused };
        let mut tally = Tally::default();
        tally.add(&[answer(Clause::PortFree, false), answer(Clause::OtherUser, true)], || "fine".into());
        assert_eq!(tally.disagreements, 0);
        tally.add(&[answer(Clause::PortFree, true), answer(Clause::OtherUser, false)], || "odd".into());
        assert_eq!(tally.disagreements, 2);
        assert_eq!((tally.sum(false), tally.sum(true)), (2, 2));
    }
}
