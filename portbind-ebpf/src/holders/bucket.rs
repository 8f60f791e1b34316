//! How the sockets in a bind bucket got their port.

use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;

/// Whether no socket in a bind bucket was ever bound to its port: all of them connected.
#[inline(always)]
pub(crate) fn is_connected_only(bucket: Ptr) -> bool {
    let fast =
        [at!(bucket_fastreuse), at!(bucket_fastreuseport)].map(|offset| bucket.read::<u8>(offset) as i8);
    fast[0] < 0 && fast[1] < 0
}
