//! Counters, one set per CPU.

use super::atomic::add_one;
use crate::maps::COUNTERS;

/// Adds one to a counter of this CPU.
#[inline(always)]
pub(crate) fn count(index: u32) {
    portbind_count(u64::from(index));
}

verified_once! {
/// [`count`]. Returns whether the counter exists.
fn portbind_count(index) {
    let Some(value) = COUNTERS.get_ptr_mut(index as u32) else { return 0 };
    // SAFETY: the map returned a valid pointer to this CPU's value.
    add_one(unsafe { &mut *value });
    1
}
}
