//! Helpers about the current task.

#![expect(unsafe_code, reason = "helpers are foreign functions")]

use aya_ebpf::helpers::generated;
use portbind_abi::COMM_LEN;

use super::memory::Ptr;

/// The current task's `struct task_struct`.
#[inline(always)]
pub(crate) fn current_task() -> Ptr {
    // SAFETY: the helper has no arguments.
    Ptr(unsafe { generated::bpf_get_current_task() })
}

/// Thread group id (upper half) and thread id (lower half) of the current task.
#[inline(always)]
pub(crate) fn current_ids() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_pid_tgid() }
}

/// Thread group id of the current task.
#[inline(always)]
pub(crate) fn current_pid() -> u32 {
    (current_ids() >> 32) as u32
}

/// Group id (upper half) and user id (lower half) of the current task.
#[inline(always)]
pub(crate) fn current_owner() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_uid_gid() }
}

/// Copies the name of the current task into a record.
#[inline(always)]
pub(crate) fn copy_current_comm(to: &mut [u8; COMM_LEN]) {
    // SAFETY: the destination has the size passed, and the helper writes all of it.
    unsafe { generated::bpf_get_current_comm(to.as_mut_ptr().cast(), COMM_LEN as u32) };
}

/// Id of the current task's cgroup.
#[inline(always)]
pub(crate) fn current_cgroup() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_cgroup_id() }
}

/// Id of the current task's ancestor cgroup at a level, 0 if there is none.
#[inline(always)]
pub(crate) fn current_ancestor_cgroup(level: u32) -> u64 {
    // SAFETY: the helper accepts any number.
    unsafe { generated::bpf_get_current_ancestor_cgroup_id(level as i32) }
}
