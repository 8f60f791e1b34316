//! Measures the cost of a system call on this machine.

use std::time::{Duration, Instant};

use rustix::process::getppid;

/// Calls between two reads of the clock.
const BLOCK: u32 = 2_000;
/// Measured blocks. The fastest one counts: every interruption makes a block slower.
const BLOCKS: u32 = 10;

/// The duration of a system call that does nothing; the measurement takes some milliseconds.
#[must_use]
pub fn call_cost() -> Duration {
    let block = || {
        let begun = Instant::now();
        for _ in 0..BLOCK {
            std::hint::black_box(getppid());
        }
        begun.elapsed()
    };
    (0..BLOCKS).map(|_| block()).min().unwrap_or_default() / BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_time() {
        assert!(call_cost() > Duration::ZERO);
    }
}
