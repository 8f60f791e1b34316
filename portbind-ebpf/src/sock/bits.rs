//! Conditions as numbers, without a branch.

use crate::kernel::volatile::opaque;

/// 1 if any bit is set, else 0, without a branch: the compiler would turn a plain expression into a comparison, and BPF
/// compares only by branching.
#[inline(always)]
pub(crate) fn nonzero(value: u64) -> u64 {
    opaque((value | opaque(value.wrapping_neg())) >> 63)
}

/// `bit` if any bit of `value` is set, without a branch.
#[inline(always)]
pub(crate) fn flag(value: u64, bit: u8) -> u8 {
    (nonzero(value) as u8).wrapping_mul(bit)
}
