//! Samples of a number, and their statistics.

use std::collections::BTreeMap;

/// Numbers by name, from one run of a helper.
pub(super) type Words = BTreeMap<String, f64>;

/// Parses a line of `name=number` words; ignores other words.
pub(super) fn words(line: &str) -> Words {
    let pairs = line.split_whitespace().filter_map(|word| word.split_once('='));
    pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect()
}

/// The median and the quartiles of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// Half of the samples are below.
    pub(super) median: f64,
    /// A quarter of the samples is below.
    pub(super) low: f64,
    /// A quarter of the samples is above.
    pub(super) high: f64,
}

impl Spread {
    /// The spread of samples; `None` without samples.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        // Interpolates between two samples.
        let at = |quarter: usize| -> Option<f64> {
            let (whole, rest) = (quarter * last / 4, quarter * last % 4);
            let rest = u8::try_from(rest).map_or(0.0, f64::from) / 4.0;
            let (low, high) = (sorted.get(whole)?, sorted.get((whole + 1).min(last))?);
            Some(low + (high - low) * rest)
        };
        Some(Self { median: at(2)?, low: at(1)?, high: at(3)? })
    }

    /// The part above `bare`.
    pub(super) fn less(self, bare: f64) -> Self {
        Self { median: self.median - bare, low: self.low - bare, high: self.high - bare }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0 });
        let spread = Spread::of(&[1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 1.5, low: 1.25, high: 1.75 });
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn lines_of_helpers() {
        let read = words("ready_ms=1.5 and shown=3 x=y");
        assert_eq!(read, Words::from([("ready_ms".to_owned(), 1.5), ("shown".to_owned(), 3.0)]));
    }
}
