//! The read-only globals, which the loader fills in.

#![expect(
    unsafe_code,
    reason = "the loader finds globals by name, and the compiler must not believe what they hold"
)]

use core::ptr;

use portbind_abi::Filter;
use portbind_abi::layout::Layout;

/// The layout of the running kernel; the loader fills it in.
// SAFETY: no other symbol of this name exists; the loader finds the global by name.
#[unsafe(no_mangle)]
pub(crate) static LAYOUT: Layout = Layout::EMPTY;

/// The filters; the loader fills them in.
// SAFETY: as for `LAYOUT`.
#[unsafe(no_mangle)]
pub(crate) static FILTER: Filter = Filter::ANY;

/// Reads one field of a read-only global that the loader has filled in.
#[inline(always)]
pub(crate) fn global<T: Copy>(field: &'static T) -> T {
    // SAFETY: `field` is a reference, so it is valid and aligned. The volatile read keeps the compiler from using the
    // value in this object, which the loader replaces.
    unsafe { ptr::read_volatile(field) }
}

/// The running kernel's value of one row of the layout.
macro_rules! at {
    ($field:ident) => {
        $crate::kernel::globals::global(&$crate::kernel::globals::LAYOUT.$field)
    };
}
pub(crate) use at;
