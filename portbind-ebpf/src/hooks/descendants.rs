//! Tracks the descendants of the wrapped command; loaded only if there is one.

use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;

use crate::descendants;
use crate::kernel::memory::Ptr;

/// `TP_PROTO(struct task_struct *parent, struct task_struct *child)` of raw tracepoint `sched_process_fork`
/// (include/trace/events/sched.h); the parent is the current task (kernel_clone, kernel/fork.c).
#[raw_tracepoint(tracepoint = "sched_process_fork")]
#[inline(always)]
pub(crate) fn descendants_fork(context: RawTracePointContext) -> i32 {
    descendants::forked(Ptr(context.arg(1)));
    0
}

/// `TP_PROTO(struct task_struct *p)` of raw tracepoint `sched_process_exit` (include/trace/events/sched.h; from 6.16
/// followed by `bool group_dead`); the task is the current one (do_exit, kernel/exit.c).
#[raw_tracepoint(tracepoint = "sched_process_exit")]
#[inline(always)]
pub(crate) fn descendants_exit(context: RawTracePointContext) -> i32 {
    descendants::ended(Ptr(context.arg(0)));
    0
}
