//! Clocks of the kernel.

#![expect(unsafe_code, reason = "helpers are foreign functions")]

use aya_ebpf::helpers::generated;

/// Nanoseconds since boot, suspended time included.
#[inline(always)]
pub(crate) fn boot_time() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_ktime_get_boot_ns() }
}

/// The kernel's tick counter.
#[inline(always)]
pub(crate) fn jiffies() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_jiffies64() }
}
