//! Windows of time, in which refusals are counted.

use crate::kernel::globals::{FILTER, global};

/// Whether a window of time has passed. Ticks are exact enough, and reading a clock would cost as much as all else.
#[inline(always)]
pub(crate) fn is_over(since: u64, now: u64) -> bool {
    now.wrapping_sub(since) > global(&FILTER.window)
}
