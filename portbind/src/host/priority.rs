//! The part of the processors that portbind gets while others keep all of them busy.

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::sched_getaffinity;

/// The nice value of who traces: nine times the part that a process with the usual one gets (`sched_prio_to_weight`,
/// kernel/sched/core.c of 6.18). A hundred processes of one user would otherwise leave it a fiftieth of a processor, too
/// little to look at what is refused to others.
const NICE: i32 = -10;

/// Gets this thread, and those that it starts, ahead of others; unless whoever started it has chosen a nice value, or the
/// kernel refuses it (CAP_SYS_NICE), or there is one processor only: who shows a storm would have nearly all of that.
pub fn raise() {
    let has_several = sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1);
    if has_several && getpriority_process(None).is_ok_and(|nice| nice == 0) {
        let _as_before = setpriority_process(None, NICE);
    }
}
