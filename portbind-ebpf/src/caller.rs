//! The process inside the refused call: identity, arguments and ancestors of the current task.

use portbind_abi::{
    self as abi, ARGS_LEN, COMM_LEN, EXE_NAMES, Identity, Introduction, MAX_PARENTS, RING_HEADER_LEN, kind,
};

use crate::kernel::clock::jiffies;
use crate::kernel::globals::{FILTER, at, global};
use crate::kernel::memory::{Memory, Ptr, copy, copy_path_name};
use crate::kernel::ring::Slot;
use crate::kernel::task::{copy_current_comm, current_cgroup, current_owner, current_pid, current_task};
use crate::kernel::values::InPlace;
use crate::kernel::volatile::{get, set};
use crate::kernel::{Step, repeat, verified_once};
use crate::maps::{INTRODUCED, Introduced};
use crate::party;
use crate::record::header;

/// Maximum number of steps up the path of an executable, mount points included.
const MAX_PATH_STEPS: u32 = 20;

/// The process of the current task.
pub(crate) struct Caller {
    pub(crate) process: Introduced,
    /// Whether the process was introduced within the last window.
    pub(crate) is_introduced: bool,
}

/// Returns the process of the current task, and whether it was introduced within the last window.
#[inline(always)]
pub(crate) fn current() -> Caller {
    let task = current_task();
    let leader = task.follow(at!(task_group_leader));
    let (start_time, exec_id) =
        (leader.read(at!(task_start_boottime)), task.read::<u64>(at!(task_exec_id)) as u32);
    let now = jiffies() as u32;
    if let Some(known) = INTRODUCED.value(&current_pid())
        && get(&known.start_time) == start_time
        && get(&known.exec_id) == exec_id
        && u64::from(now.wrapping_sub(get(&known.since))) <= global(&FILTER.window)
    {
        return Caller { process: get(known), is_introduced: true };
    }
    let process = Introduced { start_time, party: party::current(), exec_id, since: now };
    Caller { process, is_introduced: false }
}

/// Bytes that an introduction takes in the ring buffer.
pub(crate) const INTRODUCTION_LEN: u32 = (RING_HEADER_LEN + size_of::<Introduction>()) as u32;

/// Describes the process of the current task, unless this was done within the last window or there is little room: a
/// description takes ten times as long as everything else, and ten times the room. `time`: now, in nanoseconds since
/// boot.
#[inline(always)]
pub(crate) fn introduce(caller: &Caller, time: u64) {
    // Without an introduction, the user half inspects the process itself.
    if !caller.is_introduced && party::admits_life(&caller.process.party, INTRODUCTION_LEN) {
        let Introduced { start_time, party, exec_id, since } = caller.process;
        let calls_and_ticks = u64::from(exec_id) << 32 | u64::from(since);
        let _ = portbind_introduce(
            time,
            start_time,
            calls_and_ticks,
            party.cgroup,
            party::owner_and_kind(&party),
        );
    }
}

verified_once! {
/// [`introduce`] for a process passed as numbers. Returns whether there was room.
fn portbind_introduce(time, start_time, calls_and_ticks, cgroup, owner_and_kind) {
    let process = Introduced {
        start_time,
        party: party::of_values(cgroup, owner_and_kind),
        exec_id: (calls_and_ticks >> 32) as u32,
        since: calls_and_ticks as u32,
    };
    let Some(mut record) = Slot::<Introduction>::reserve() else { return 0 };
    header(&mut record.header, kind::INTRODUCTION, time);
    identify(&mut record.identity, &process);
    describe(&mut record.caller);
    record.submit();
    // Last, so that no record of another thread can precede the introduction.
    let _ = INTRODUCED.insert(current_pid(), &process, 0);
    1
}
}

/// Fills in the identity of the current task's process.
#[inline(always)]
pub(crate) fn identify(to: &mut Identity, process: &Introduced) {
    let owner = current_owner();
    to.start_time = process.start_time;
    to.exec_id = process.exec_id;
    to.uid = owner as u32;
    to.gid = (owner >> 32) as u32;
    to.cgroup = process.party.cgroup;
    to.owner = process.party.owner;
    copy_current_comm(&mut to.comm);
}

/// Describes the process of the current task.
#[inline(always)]
fn describe(to: &mut abi::Caller) {
    let task = current_task();
    to.cgroup_id = current_cgroup();
    parents(task.follow(at!(task_group_leader)), to);
    let mm = task.follow(at!(task_mm));
    arguments(mm, to);
    executable(mm, to);
}

/// Copies the ancestors of `leader`, nearest first. The count is kept in the record: on the stack, each value would be
/// another state for the verifier.
#[inline(always)]
fn parents(leader: Ptr, to: &mut abi::Caller) {
    set(&mut to.parent_count, 0);
    repeat(MAX_PARENTS as u32, &mut Above { to, child: leader });
}

/// The walk over the ancestors of a process.
struct Above<'a> {
    to: &'a mut abi::Caller,
    child: Ptr,
}

impl Step for Above<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let parent = self.child.follow(at!(task_real_parent)).follow(at!(task_group_leader));
        let pid = parent.read::<i32>(at!(task_tgid)) as u32;
        let index = get(&self.to.parent_count) as usize;
        if parent.is_null() || parent == self.child || pid == 0 || index >= MAX_PARENTS {
            return false;
        }
        let entry = &mut self.to.parents[index];
        entry.pid = pid;
        entry.reserved = 0;
        entry.start_time = parent.read(at!(task_start_boottime));
        copy(&mut entry.comm, parent.plus(at!(task_comm)), COMM_LEN as u32, Memory::Kernel);
        self.child = parent;
        set(&mut self.to.parent_count, index as u32 + 1);
        true
    }
}

/// Copies the argument vector; kernel threads have none.
#[inline(always)]
fn arguments(mm: Ptr, to: &mut abi::Caller) {
    let start = mm.read::<u64>(at!(mm_arg_start));
    let total = mm.read::<u64>(at!(mm_arg_end)).wrapping_sub(start);
    to.args_total = if total > u64::from(u32::MAX) { u32::MAX } else { total as u32 };
    let len = if total > ARGS_LEN as u64 { ARGS_LEN as u32 } else { total as u32 };
    to.args_len = copy(&mut to.args, Ptr(start), len, Memory::User);
}

/// Copies the path of the executable component by component, from the last one upwards, across mounts (`prepend_path`,
/// fs/d_path.c).
#[inline(always)]
fn executable(mm: Ptr, to: &mut abi::Caller) {
    let file = mm.follow(at!(mm_exe_file));
    set(&mut to.exe_count, 0);
    set(&mut to.exe_whole, 0);
    let dentry = file.follow(at!(file_path_dentry));
    let mount = Ptr(file.follow(at!(file_path_mnt)).0.wrapping_sub(u64::from(at!(mount_mnt))));
    repeat(MAX_PATH_STEPS, &mut Path { to, dentry, mount });
}

/// A path, from its last component that is not yet copied upwards.
struct Path<'a> {
    to: &'a mut abi::Caller,
    dentry: Ptr,
    mount: Ptr,
}

impl Step for Path<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.dentry.is_null() {
            return false;
        }
        if self.dentry == self.mount.follow(at!(mount_root)) {
            let parent = self.mount.follow(at!(mount_parent));
            if parent == self.mount {
                set(&mut self.to.exe_whole, 1);
                return false;
            }
            self.dentry = self.mount.follow(at!(mount_mountpoint));
            self.mount = parent;
            return true;
        }
        let index = usize::from(get(&self.to.exe_count));
        if index >= EXE_NAMES {
            return false;
        }
        copy_path_name(&mut self.to.exe[index], self.dentry.follow(at!(dentry_name)));
        set(&mut self.to.exe_count, index as u16 + 1);
        self.dentry = self.dentry.follow(at!(dentry_parent));
        true
    }
}
