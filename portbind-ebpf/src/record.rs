//! The header of every record.

use portbind_abi::Header;

use crate::kernel::task::current_ids;

/// Fills in the header of a record of the current task, about an event at `time` (nanoseconds since boot).
#[inline(always)]
pub(crate) fn header(to: &mut Header, kind: u32, time: u64) {
    to.kind = kind;
    to.reserved = 0;
    to.task = current_ids();
    to.time = time;
}
