//! Windows of time, in which refusals are counted.

use crate::kernel::globals::{FILTER, global};

/// Whether the window has passed. Ticks are precise enough; reading a clock would cost as much as everything else.
#[inline(always)]
pub(crate) fn is_over(since: u64, now: u64) -> bool {
    now.wrapping_sub(since) > global(&FILTER.window)
}
