//! Values hidden from the compiler or the verifier.

#![expect(unsafe_code, reason = "volatile access takes addresses, and a register is written by hand")]

use core::ptr;

/// A value that the compiler cannot reason about, so it makes no branches of the value. The value stays in a register:
/// `black_box` would leave a pointer into the stack behind, which a function must not return.
#[inline(always)]
pub(crate) fn opaque(mut value: u64) -> u64 {
    // SAFETY: a register is copied onto itself.
    unsafe {
        core::arch::asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags))
    };
    value
}

/// Reads one field of a record from memory, whatever was written there before: the verifier does not track values
/// stored in a record, but would track a value in a register through every step of a search.
#[inline(always)]
pub(crate) fn get<T: Copy>(field: &T) -> T {
    // SAFETY: `field` is a live reference.
    unsafe { ptr::read_volatile(field) }
}

/// Writes one field to memory by itself; see [`get`]. Plain zeros in a row would become a call of memset.
#[inline(always)]
pub(crate) fn set<T>(field: &mut T, value: T) {
    // SAFETY: `field` is a live reference.
    unsafe { ptr::write_volatile(field, value) };
}

/// Adds one to a field in memory; returns the sum.
#[inline(always)]
pub(crate) fn increment(field: &mut u32) -> u32 {
    set(field, get(field).wrapping_add(1));
    get(field)
}
