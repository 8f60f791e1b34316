//! Reads without a helper, for the fields that are read of every open file on the machine.

use core::ptr;

use crate::kernel::memory::Plain;

/// A kernel address whose type the verifier knows from the program's context on. The verifier checks that each read is
/// of a member of the type; unreadable memory reads as zero (`BPF_PROBE_MEM`).
#[derive(Clone, Copy)]
pub(crate) struct Known(pub(super) *const u8);

impl Known {
    /// Reads a member.
    #[inline(always)]
    pub(crate) fn read<T: Plain>(self, offset: u32) -> T {
        // SAFETY: the verifier rejects the program unless the read is safe. The verifier sees the offset as a constant,
        // because the map of read-only globals is frozen before the program is loaded.
        unsafe { ptr::read_volatile(self.0.wrapping_add(offset as usize).cast::<T>()) }
    }

    /// Follows the pointer at `offset`.
    #[inline(always)]
    pub(crate) fn follow(self, offset: u32) -> Self {
        Self(self.read::<u64>(offset) as *const u8)
    }
}
