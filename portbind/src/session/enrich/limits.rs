//! Limits for the description of one refusal, which hold whatever names and arguments other processes choose.

use std::rc::Rc;

use crate::event::{Process, Refusal};
use crate::host::OwnerFds;

/// Limits for the processes described for one socket and for one refusal.
pub(super) const PROCESSES_OF_SOCKET: usize = 4;
pub(super) const PROCESSES: usize = 16;
/// Limit for the descriptors shown for one process.
const DESCRIPTORS: usize = 16;
/// Limit for the bytes of arguments, paths and cgroups of one refusal, all processes together.
const TEXT: usize = 32 * 1024;
/// Limit for the bytes of a cgroup path; systemd's paths are below 300.
const CGROUP: usize = 1024;
/// Limits for the words of one process, and for the bytes of one word.
const WORDS: usize = 256;

/// An owner with only the first of its descriptors.
pub(super) fn some_descriptors(owner: &OwnerFds) -> OwnerFds {
    OwnerFds { fds: owner.fds.iter().take(DESCRIPTORS).copied().collect(), ..*owner }
}

/// Cuts excessive text. The caller has priority, then the processes in its way, then the history.
pub(super) fn apply(refusal: &mut Refusal) {
    let mut left = TEXT;
    cut(&mut refusal.process, &mut left);
    for holder in &mut refusal.holders {
        holder.processes.iter_mut().for_each(|owner| cut(&mut owner.process, &mut left));
        holder.opened_by.iter_mut().chain(&mut holder.left_by).for_each(|process| cut(process, &mut left));
    }
    refusal.history.iter_mut().rev().filter_map(|moment| moment.process.as_mut()).for_each(|process| {
        cut(process, &mut left);
    });
}

/// Cuts a process to the remaining bytes, and subtracts its bytes from them.
fn cut(process: &mut Rc<Process>, left: &mut usize) {
    let cgroup = process.cgroup.as_ref().map_or(0, String::len);
    let keeps_cgroup = cgroup <= CGROUP.min(*left);
    *left -= if keeps_cgroup { cgroup } else { 0 };
    let fitting = process.args.iter().take(WORDS).scan(*left, |room, word| {
        *room = room.checked_sub(word.len() + 1)?;
        Some(word.len() + 1)
    });
    let (words, bytes) = fitting.fold((0, 0), |(words, bytes), word| (words + 1, bytes + word));
    *left -= bytes;
    if words < process.args.len() || !keeps_cgroup {
        let process = Rc::make_mut(process);
        process.args_truncated |= words < process.args.len();
        process.args.truncate(words);
        process.cgroup = process.cgroup.take().filter(|_| keeps_cgroup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::samples;

    #[test]
    fn a_usual_refusal_stays_as_it_is() {
        for mut refusal in samples::all() {
            let before = refusal.clone();
            apply(&mut refusal);
            assert_eq!(refusal, before);
        }
    }

    #[test]
    fn a_refusal_is_bounded_and_the_caller_comes_first() {
        let mut refusal = samples::listener();
        let long = |pid| {
            let args = vec!["x".repeat(1000); 40];
            Rc::new(Process { pid, args, cgroup: Some("/a".repeat(5000)), ..Process::default() })
        };
        refusal.process = long(1);
        let holder = refusal.holders.first_mut().unwrap();
        holder.opened_by = Some(long(3));
        holder.processes.iter_mut().for_each(|owner| owner.process = long(2));
        apply(&mut refusal);
        let args = |process: &Process| process.args.iter().map(String::len).sum::<usize>();
        let holder = refusal.holders.first().unwrap();
        assert_eq!((args(&refusal.process), refusal.process.args_truncated), (32_000, true));
        let opener = holder.opened_by.as_ref().unwrap();
        assert_eq!((args(opener), opener.args_truncated, &opener.cgroup), (0, true, &None));
    }
}
