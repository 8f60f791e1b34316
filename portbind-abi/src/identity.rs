//! The process that a record is about.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a task's name, including the closing NUL (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_LEN: usize = 16;

record! {
/// A process, with the attributes that can change between two calls.
///
/// `cgroup` and `owner` are the [`Party`](super::Party) of the process.
pub struct Identity = 48 {
    /// When the process started, in nanoseconds since boot (`task_struct.start_boottime`).
    pub start_time: u64,
    /// [`Party::cgroup`](super::Party::cgroup).
    pub cgroup: u64,
    /// Number of execve calls by the process and its ancestors (lower half of `task_struct.self_exec_id`).
    pub exec_id: u32,
    /// Real user id, in the initial user namespace (`bpf_get_current_uid_gid`).
    pub uid: u32,
    /// Group id, in the initial user namespace.
    pub gid: u32,
    /// [`Party::owner`](super::Party::owner).
    pub owner: u32,
    /// Name of the thread, NUL-padded.
    pub comm: [u8; COMM_LEN],
}
}
