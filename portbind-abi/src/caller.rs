//! A process inside a call: its arguments, its executable, and its ancestors.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::identity::COMM_LEN;

/// Bytes of a caller's argument vector that are copied at the refusal.
pub const ARGS_LEN: usize = 512;
/// Maximum number of path components of the caller's executable that are copied.
pub const EXE_NAMES: usize = 12;
/// Bytes of one path component, with the closing NUL; longer components are cut.
pub const EXE_NAME_LEN: usize = 64;
/// Maximum number of ancestors of the caller that are copied.
pub const MAX_PARENTS: usize = 8;

record! {
/// One ancestor of the caller.
pub struct Parent = 32 {
    /// Thread group id, in the initial pid namespace.
    pub pid: u32,
    /// Zero.
    pub reserved: u32,
    /// When the process started, in nanoseconds since boot (`task_struct.start_boottime`).
    pub start_time: u64,
    /// Name, NUL-padded.
    pub comm: [u8; COMM_LEN],
}
}

record! {
/// The properties of a process that are expensive to collect.
pub struct Caller = 1560 {
    /// Id of the process's cgroup in the unified hierarchy (`bpf_get_current_cgroup_id`).
    pub cgroup_id: u64,
    /// Entries of `parents` that are filled, nearest first.
    pub parent_count: u32,
    /// Bytes of `args` that are filled.
    pub args_len: u32,
    /// Bytes of the whole argument vector.
    pub args_total: u32,
    /// Entries of `exe` that are filled.
    pub exe_count: u16,
    /// 1 if `exe` reaches up to the root of the mount tree.
    pub exe_whole: u16,
    /// The ancestors.
    pub parents: [Parent; MAX_PARENTS],
    /// Arguments, each closed by a NUL; cut at [`ARGS_LEN`] bytes.
    pub args: [u8; ARGS_LEN],
    /// Path components of the executable, the last one first, each closed by a NUL.
    pub exe: [[u8; EXE_NAME_LEN]; EXE_NAMES],
}
}
