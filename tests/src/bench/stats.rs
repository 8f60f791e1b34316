//! Quantiles.

use std::time::Duration;

/// The value that a `share` of all values does not exceed (nearest rank); 0 without values. Sorts the values.
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    // Indices are small, and so exact as floating point numbers.
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^53")]
    let before = |index: usize| index as f64 / values.len() as f64;
    let below = (0..values.len()).rfind(|index| before(*index) < share).unwrap_or(0);
    values.get(below).copied().unwrap_or(0.0)
}

/// Microseconds.
pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5), 50.0);
        assert_eq!(quantile(&mut values, 0.99), 99.0);
        assert_eq!(quantile(&mut values, 1.0), 100.0);
        assert_eq!(quantile(&mut [7.0], 0.99), 7.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
