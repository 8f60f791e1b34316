//! Who is inside the refused call: identity, arguments and ancestors of the current task.

use portbind_ebpf::abi::{ARGS_LEN, COMM_LEN, Caller, EXE_NAMES, MAX_PARENTS};

use crate::kernel::{
    Memory, Ptr, at, copy, copy_path_name, current_cgroup, current_owner, current_task, get, set,
};

/// Steps up the path of an executable, mount points included.
const MAX_PATH_STEPS: u32 = 20;

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
    to.comm = task.read::<[u8; COMM_LEN]>(at!(task_comm));
    to.parent_count = parents(leader, to);
    let mm = task.follow(at!(task_mm));
    arguments(mm, to);
    executable(mm, to);
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
fn arguments(mm: Ptr, to: &mut Caller) {
    let start = mm.read::<u64>(at!(mm_arg_start));
    let total = mm.read::<u64>(at!(mm_arg_end)).wrapping_sub(start);
    to.args_total = if total > u64::from(u32::MAX) { u32::MAX } else { total as u32 };
    let len = if total > ARGS_LEN as u64 { ARGS_LEN as u32 } else { total as u32 };
    to.args_len = copy(&mut to.args, Ptr(start), len, Memory::User);
}

/// Copies the path of the executable name by name, from the last one up, through the mounts
/// (`prepend_path`, fs/d_path.c).
#[inline(always)]
fn executable(mm: Ptr, to: &mut Caller) {
    let file = mm.follow(at!(mm_exe_file));
    let mut dentry = file.follow(at!(file_path_dentry));
    let mut mount = Ptr(file.follow(at!(file_path_mnt)).0.wrapping_sub(u64::from(at!(mount_mnt))));
    set(&mut to.exe_count, 0);
    set(&mut to.exe_whole, 0);
    let mut step = 0;
    while step < MAX_PATH_STEPS {
        if dentry.is_null() {
            return;
        }
        if dentry == mount.follow(at!(mount_root)) {
            let parent = mount.follow(at!(mount_parent));
            if parent == mount {
                set(&mut to.exe_whole, 1);
                return;
            }
            dentry = mount.follow(at!(mount_mountpoint));
            mount = parent;
        } else {
            let index = get(&to.exe_count);
            if usize::from(index) >= EXE_NAMES {
                return;
            }
            copy_path_name(&mut to.exe[usize::from(index)], dentry.follow(at!(dentry_name)));
            set(&mut to.exe_count, index + 1);
            dentry = dentry.follow(at!(dentry_parent));
        }
        step += 1;
    }
}
