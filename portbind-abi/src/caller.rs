//! A process inside a call: its arguments, its executable, and the processes above it.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::identity::COMM_LEN;

/// Bytes of a caller's argument vector that are copied at the refusal.
pub const ARGS_LEN: usize = 512;
/// How many names of the path of the caller's executable are copied.
pub const EXE_NAMES: usize = 12;
/// Bytes of one of these names, with the closing NUL; longer ones are cut.
pub const EXE_NAME_LEN: usize = 64;
/// How many ancestors of the caller are copied.
pub const MAX_PARENTS: usize = 8;

record! {
/// One process above the caller.
pub struct Parent = 32 {
    /// Thread group id, in the initial pid namespace.
    pub pid: u32,
    /// Zero.
    pub reserved: u32,
    /// Nanoseconds since boot at which it started (`task_struct.start_boottime`).
    pub start_time: u64,
    /// Name, NUL-padded.
    pub comm: [u8; COMM_LEN],
}
}

record! {
/// What takes long to find out of the process inside a call.
pub struct Caller = 1560 {
    /// Id of its cgroup in the unified hierarchy (`bpf_get_current_cgroup_id`).
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
    /// The processes above it.
    pub parents: [Parent; MAX_PARENTS],
    /// Arguments, each closed by a NUL, cut at [`ARGS_LEN`].
    pub args: [u8; ARGS_LEN],
    /// Names on the path of the executable, the last one first, each closed by a NUL.
    pub exe: [[u8; EXE_NAME_LEN]; EXE_NAMES],
}
}
