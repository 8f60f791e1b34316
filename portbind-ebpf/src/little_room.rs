//! When there is little room in the ring buffer.

use portbind_abi::RING_BYTES;

use crate::kernel::ring::waiting_bytes;

/// There is little room while this much of the ring buffer is not read yet.
const LITTLE_ROOM: u64 = RING_BYTES as u64 / 2;
/// There is hardly any while this much is not.
pub(crate) const HARDLY_ANY: u64 = RING_BYTES as u64 / 4 * 3;

/// Whether more of the ring buffer is not read yet than all parties may fill.
#[inline(always)]
pub(crate) fn has_little_room() -> bool {
    waiting_bytes() > LITTLE_ROOM
}
