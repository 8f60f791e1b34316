//! Atomic additions to values of maps.

#![expect(unsafe_code, reason = "the addition is written by hand")]

use core::ptr;

/// Adds one to a value in a map, atomically: a program can be preempted by another task's program on the same CPU.
#[inline(always)]
pub(crate) fn add_one(value: &mut u64) {
    add(value, 1);
}

/// Adds `more` to a value in a map, atomically; see [`add_one`].
#[inline(always)]
pub(crate) fn add(value: &mut u64, more: u64) {
    // SAFETY: the reference is live.
    unsafe {
        core::arch::asm!("lock *(u64 *)({to} + 0) += {more}", to = in(reg) ptr::from_mut(value), more = in(reg) more)
    };
}
