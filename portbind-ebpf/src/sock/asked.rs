//! The request of a refused call.

use portbind_abi::Address;

use super::handle::Sock;
use crate::kernel::memory::Ptr;

/// The request of a refused call.
pub(crate) struct Asked {
    /// When the call was refused, in nanoseconds since boot.
    pub(crate) time: u64,
    pub(crate) sock: Sock,
    pub(crate) family: u16,
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) protocol: u16,
    pub(crate) netns: u32,
}

impl Asked {
    /// All fields but the socket, for functions that take only numbers; see [`Self::of_values`].
    #[inline(always)]
    pub(crate) fn values(&self) -> [u64; 5] {
        let [a, b, c, d] = self.address.map(u64::from);
        let place = u64::from(self.netns) << 32 | u64::from(self.port) << 16 | u64::from(self.protocol);
        [b << 32 | a, d << 32 | c, place, u64::from(self.family), self.time]
    }

    /// The request made of [`Self::values`].
    #[inline(always)]
    pub(crate) fn of_values([first, second, place, family, time]: [u64; 5]) -> Self {
        Self {
            time,
            sock: Sock(Ptr(0)),
            family: family as u16,
            address: [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32],
            port: (place >> 16) as u16,
            protocol: place as u16,
            netns: (place >> 32) as u32,
        }
    }
}
