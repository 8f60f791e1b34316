//! A program's context: its arguments, and the registers of a system call's caller.

#![expect(unsafe_code, reason = "contexts and registers are addresses")]

use aya_ebpf::EbpfContext;
#[cfg(not(feature = "bounded"))]
use aya_ebpf::helpers::generated;

/// An argument of a typed tracepoint or of a function, loaded again at each use: so the verifier forgets what an
/// earlier comparison revealed about the argument.
#[inline(always)]
pub(crate) fn argument(context: &impl EbpfContext, index: usize) -> u64 {
    // SAFETY: the kernel loads only programs that read existing arguments.
    unsafe { context.as_ptr().cast::<u64>().add(index).read_volatile() }
}

/// The registers of a system call's caller, of a type that the verifier knows: they are loaded directly, which is
/// twenty times as fast as a helper call.
pub(crate) struct Registers(*const u8);

impl Registers {
    /// Takes the registers from the first argument of `TP_PROTO(struct pt_regs *regs, long ret)`.
    #[inline(always)]
    pub(crate) fn of_argument(context: &aya_ebpf::programs::BtfTracePointContext) -> Self {
        Self(context.arg(0))
    }

    /// The registers with which the current task entered the kernel (both helpers: from 5.15).
    #[cfg(not(feature = "bounded"))]
    #[inline(always)]
    pub(crate) fn of_current_task() -> Self {
        // SAFETY: the inner helper has no arguments; the outer one takes the task that the inner one returns.
        Self(unsafe { generated::bpf_task_pt_regs(generated::bpf_get_current_task_btf().cast()) } as *const u8)
    }

    /// The register at this offset of `struct pt_regs`.
    #[inline(always)]
    pub(crate) fn at(&self, offset: usize) -> u64 {
        // SAFETY: the kernel loads only programs that stay within the structure, and passes a valid one.
        unsafe { self.0.add(offset).cast::<u64>().read_volatile() }
    }
}
