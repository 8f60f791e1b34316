//! The wrapped command and its descendants, including daemons that leave their parent.

use portbind_abi::{Ended, counter, kind};

use crate::kernel::clock::boot_time;
use crate::kernel::counters::count;
use crate::kernel::globals::at;
use crate::kernel::memory::Ptr;
use crate::kernel::ring::Slot;
use crate::kernel::task::current_pid;
use crate::maps::DESCENDANTS;
use crate::record::header;

/// The exit status of the whole thread group is set (`SIGNAL_GROUP_EXIT`, include/linux/sched/signal.h).
const SIGNAL_GROUP_EXIT: u32 = 4;

/// Whether the current process is the wrapped command or one of its descendants.
#[inline(always)]
pub(crate) fn has_current() -> bool {
    DESCENDANTS.get_ptr(current_pid()).is_some()
}

/// Called when a task has started another.
#[inline(always)]
pub(crate) fn forked(child: Ptr) {
    let parent_pid = current_pid();
    let pid: u32 = child.read(at!(task_tgid));
    if pid == parent_pid || DESCENDANTS.get_ptr(parent_pid).is_none() {
        return;
    }
    if DESCENDANTS.insert(pid, 0, 0).is_err() {
        count(counter::LOST_DESCENDANTS);
    }
}

/// Called when a task has ended: its process has ended, too, if the task was its last thread.
#[inline(always)]
pub(crate) fn ended(task: Ptr) {
    let signal = task.follow(at!(task_signal));
    if signal.read::<u32>(at!(signal_live)) != 0 {
        return;
    }
    // Two threads can both see that no thread is left; only one of them can remove the process.
    if DESCENDANTS.remove(current_pid()).is_err() {
        return;
    }
    let Some(mut record) = Slot::<Ended>::reserve() else {
        count(counter::LOST_LIFE);
        return;
    };
    let leader = task.follow(at!(task_group_leader));
    header(&mut record.header, kind::ENDED, boot_time());
    record.start_time = leader.read(at!(task_start_boottime));
    record.status = if signal.read::<u32>(at!(signal_flags)) & SIGNAL_GROUP_EXIT != 0 {
        signal.read(at!(signal_group_exit_code))
    } else {
        leader.read(at!(task_exit_code))
    };
    record.reserved = 0;
    record.submit();
}
