//! How the sockets in a bind bucket got their port.

use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;

/// Whether all sockets in a bind bucket got the port from connect(2), none from bind(2).
#[inline(always)]
pub(crate) fn is_connected_only(bucket: Ptr) -> bool {
    let fast =
        [at!(bucket_fastreuse), at!(bucket_fastreuseport)].map(|offset| bucket.read::<u8>(offset) as i8);
    fast[0] < 0 && fast[1] < 0
}
