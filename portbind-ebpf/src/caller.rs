//! Who is inside the refused call: identity, arguments and ancestors of the current task.

use portbind_ebpf::abi::{ARGS_LEN, COMM_LEN, Caller, MAX_PARENTS};

use crate::kernel::{Ptr, at, copy_args, current_cgroup, current_owner, current_task};

/// Describes the current task.
#[inline(always)]
pub(crate) fn describe(to: &mut Caller) {
    let task = current_task();
    let leader = task.follow(at!(task_group_leader));
    let owner = current_owner();
    to.start_time = leader.read(at!(task_start_boottime));
    to.cgroup_id = current_cgroup();
    to.uid = owner as u32;
    to.gid = (owner >> 32) as u32;
    to.reserved = 0;
    to.comm = task.read::<[u8; COMM_LEN]>(at!(task_comm));
    to.parent_count = parents(leader, to);
    arguments(task, to);
}

/// Copies the processes above `leader`, nearest first; returns how many.
#[inline(always)]
fn parents(leader: Ptr, to: &mut Caller) -> u32 {
    let mut child = leader;
    let mut index = 0;
    while index < MAX_PARENTS {
        let parent = child.follow(at!(task_real_parent)).follow(at!(task_group_leader));
        let pid = parent.read::<i32>(at!(task_tgid)) as u32;
        if parent.is_null() || parent == child || pid == 0 {
            break;
        }
        let entry = &mut to.parents[index];
        entry.pid = pid;
        entry.reserved = 0;
        entry.start_time = parent.read(at!(task_start_boottime));
        entry.comm = parent.read::<[u8; COMM_LEN]>(at!(task_comm));
        child = parent;
        index += 1;
    }
    index as u32
}

/// Copies the argument vector; kernel threads have none.
#[inline(always)]
fn arguments(task: Ptr, to: &mut Caller) {
    let mm = task.follow(at!(task_mm));
    let start = mm.read::<u64>(at!(mm_arg_start));
    let total = mm.read::<u64>(at!(mm_arg_end)).wrapping_sub(start);
    to.args_total = if total > u64::from(u32::MAX) { u32::MAX } else { total as u32 };
    let len = if total > ARGS_LEN as u64 { ARGS_LEN as u32 } else { total as u32 };
    to.args_len = copy_args(&mut to.args, start, len);
}
