//! What a system call costs here and now.

use std::time::{Duration, Instant};

use rustix::process::getppid;

/// Calls between two looks at the clock.
const BLOCK: u32 = 2_000;
/// Blocks that are measured: of these the fastest counts, as whatever comes between makes one slower.
const BLOCKS: u32 = 10;

/// How long a system call takes that does nothing; measured in some milliseconds.
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
