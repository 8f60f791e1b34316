//! The read-only globals, which the loader fills in.

#![expect(
    unsafe_code,
    reason = "the loader finds globals by name, and the compiler must not believe what they hold"
)]

use core::ptr;

use portbind_abi::Filter;
use portbind_abi::layout::Layout;

/// Where the running kernel keeps things; the loader fills it in.
// SAFETY: no other symbol of this name exists; the loader finds it by name.
#[unsafe(no_mangle)]
pub(crate) static LAYOUT: Layout = Layout::EMPTY;

/// What is to be reported; the loader fills it in.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub(crate) static FILTER: Filter = Filter::ANY;

/// Reads one field of a read-only global that the loader has filled in.
#[inline(always)]
pub(crate) fn global<T: Copy>(field: &'static T) -> T {
    // SAFETY: `field` is a reference, so it is valid and aligned; volatile keeps the compiler from
    // believing the value in this object, which the loader replaces.
    unsafe { ptr::read_volatile(field) }
}

/// The answer of the running kernel to one row of the layout.
macro_rules! at {
    ($field:ident) => {
        $crate::kernel::globals::global(&$crate::kernel::globals::LAYOUT.$field)
    };
}
pub(crate) use at;
