//! Whether the ring buffer has little room.

use portbind_abi::RING_BYTES;

use crate::kernel::ring::waiting_bytes;

/// There is little room while more than this many bytes of the ring buffer are unread.
const LITTLE_ROOM: u64 = RING_BYTES as u64 / 2;
/// There is hardly any room while more than this many bytes are unread.
pub(crate) const HARDLY_ANY: u64 = RING_BYTES as u64 / 4 * 3;

/// Whether more than half of the ring buffer is unread, so that the rest is reserved for the parties.
#[inline(always)]
pub(crate) fn has_little_room() -> bool {
    waiting_bytes() > LITTLE_ROOM
}
