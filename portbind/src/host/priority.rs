//! The share of processor time that portbind gets while other processes keep all processors busy.

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::sched_getaffinity;

/// The nice value of a tracing process: nine times the share of a process with the default value
/// (`sched_prio_to_weight`, kernel/sched/core.c of 6.18). Otherwise a hundred processes of one user would leave
/// portbind a fiftieth of a processor, too little to process the refused binds of other users.
const NICE: i32 = -10;

/// Raises the priority of this thread, and of the threads that it starts. The priority stays if the nice value was set
/// before, if the kernel refuses the change (CAP_SYS_NICE), or on a machine with one processor: there, reporting a
/// storm would take nearly all processor time.
pub fn raise() {
    let has_several = sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1);
    if has_several && getpriority_process(None).is_ok_and(|nice| nice == 0) {
        let _as_before = setpriority_process(None, NICE);
    }
}
