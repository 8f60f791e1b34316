//! What a program is called with: its arguments, and the registers of a system call's caller.

#![expect(unsafe_code, reason = "contexts and registers are addresses")]

use aya_ebpf::EbpfContext;
#[cfg(not(feature = "bounded"))]
use aya_ebpf::helpers::generated;

/// An argument of a typed tracepoint or of a function, loaded each time: what a comparison has told the verifier of it is
/// forgotten then.
#[inline(always)]
pub(crate) fn argument(context: &impl EbpfContext, index: usize) -> u64 {
    // SAFETY: the kernel lets only a program load that asks for arguments that there are.
    unsafe { context.as_ptr().cast::<u64>().add(index).read_volatile() }
}

/// The registers of a system call's caller, of a type that the verifier knows: each is loaded, where a helper would
/// take twenty times as long.
pub(crate) struct Registers(*const u8);

impl Registers {
    /// The first argument of `TP_PROTO(struct pt_regs *regs, long ret)`.
    #[inline(always)]
    pub(crate) fn of_argument(context: &aya_ebpf::programs::BtfTracePointContext) -> Self {
        Self(context.arg(0))
    }

    /// Those with which the current task came into the kernel (both helpers: from 5.15 on).
    #[cfg(not(feature = "bounded"))]
    #[inline(always)]
    pub(crate) fn of_current_task() -> Self {
        // SAFETY: the helper has no arguments; the other takes what it returns.
        Self(unsafe { generated::bpf_task_pt_regs(generated::bpf_get_current_task_btf().cast()) } as *const u8)
    }

    /// The register at this offset of `struct pt_regs`.
    #[inline(always)]
    pub(crate) fn at(&self, offset: usize) -> u64 {
        // SAFETY: the kernel lets only a program load that stays within the structure, and hands a valid one.
        unsafe { self.0.add(offset).cast::<u64>().read_volatile() }
    }
}
