//! Reads without a helper, for what is read of every open file of the machine.

use core::ptr;

use crate::kernel::memory::Plain;

/// An address in the kernel whose type the verifier knows, from the program's context on. It checks that what is
/// read is a member of that type; what cannot be read is zero (`BPF_PROBE_MEM`).
#[derive(Clone, Copy)]
pub(crate) struct Known(pub(super) *const u8);

impl Known {
    /// Reads a member.
    #[inline(always)]
    pub(crate) fn read<T: Plain>(self, offset: u32) -> T {
        // SAFETY: the verifier refuses the program unless it knows the read to be safe. To it the offset is a
        // constant: the map of read-only globals is frozen before the program is loaded.
        unsafe { ptr::read_volatile(self.0.wrapping_add(offset as usize).cast::<T>()) }
    }

    /// Follows the pointer at `offset`.
    #[inline(always)]
    pub(crate) fn follow(self, offset: u32) -> Self {
        Self(self.read::<u64>(offset) as *const u8)
    }
}
