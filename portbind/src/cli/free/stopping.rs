//! Tells processes to end, and sees to it that they do.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::diagnosis::answer::{Outcome, Stopped};
use crate::diagnosis::event::Holder;
use crate::diagnosis::freeing::{Plan, Target};
use crate::host::Host;
use crate::host::stop::Held;

/// How often it is looked whether a process has let go of the port.
const LOOK: Duration = Duration::from_millis(10);
/// How long a process may take to end after SIGKILL.
const TO_DIE: Duration = Duration::from_secs(5);

/// A process that was told to end.
struct Told<'a> {
    target: &'a Target,
    held: Held,
}

/// Sends SIGTERM to all, waits until they have ended or let go of the port, and kills those that have not when
/// the time is over.
pub(super) fn stop(host: &Host, targets: &[Target], grace: Duration) -> Vec<Stopped> {
    let mut stopped = Vec::new();
    let mut told = Vec::new();
    for target in targets {
        match tell(host, target) {
            Ok(Some(held)) => told.push(Told { target, held }),
            Ok(None) => stopped.push(became(target, Outcome::Gone)),
            Err(_) => stopped.push(became(target, Outcome::Denied)),
        }
    }
    let left = settle(host, told, grace, Outcome::Ended, &mut stopped);
    let mut killed = Vec::new();
    for one in left {
        match one.held.signal(Signal::KILL) {
            Ok(_) => killed.push(one),
            Err(_) => stopped.push(became(one.target, Outcome::Denied)),
        }
    }
    let left = settle(host, killed, TO_DIE, Outcome::Killed, &mut stopped);
    stopped.extend(left.iter().map(|one| became(one.target, Outcome::Lingering)));
    stopped.sort_by_key(|one| one.process.pid);
    stopped
}

/// Tells a process to end, if it is still the one that has the port.
fn tell(host: &Host, target: &Target) -> std::io::Result<Option<Held>> {
    let process = &target.process;
    let Some(held) = host.hold(process.pid, process.started, &target.inodes)? else { return Ok(None) };
    Ok(held.signal(Signal::TERM)?.then_some(held))
}

/// Waits until processes have ended or let go of the port; those that have not.
fn settle<'a>(
    host: &Host,
    mut waiting: Vec<Told<'a>>,
    patience: Duration,
    end: Outcome,
    stopped: &mut Vec<Stopped>,
) -> Vec<Told<'a>> {
    let begin = Instant::now();
    loop {
        waiting.retain(|one| {
            let outcome = if one.held.has_ended(Duration::ZERO) {
                end
            } else if one.held.has_sockets(host) {
                return true;
            } else if one.held.has_ended(Duration::ZERO) {
                end
            } else {
                Outcome::LetGo
            };
            stopped.push(became(one.target, outcome));
            false
        });
        let Some(first) = waiting.first() else { return waiting };
        let left = patience.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return waiting;
        }
        let _ended = first.held.has_ended(left.min(LOOK));
    }
}

fn became(target: &Target, outcome: Outcome) -> Stopped {
    Stopped { process: target.process.clone(), outcome }
}

/// Processes that have a socket of the plan open now, and were not told anything yet: children that were forked
/// meanwhile.
pub(super) fn targets_left(holders: &[Holder], plan: &Plan, stopped: &[Stopped]) -> Vec<Target> {
    let planned = |inode: u64| plan.targets.iter().any(|target| target.inodes.contains(&inode));
    let is_new = |pid: u32| stopped.iter().all(|one| one.process.pid != pid);
    let mut targets: Vec<Target> = Vec::new();
    for holder in holders {
        let Some(inode) = holder.inode.filter(|&inode| planned(inode)) else { continue };
        for owner in holder.processes.iter().filter(|owner| is_new(owner.process.pid)) {
            targets.push(Target { process: owner.process.clone(), inodes: vec![inode] });
        }
    }
    targets.sort_by_key(|target| target.process.pid);
    targets.dedup_by_key(|target| target.process.pid);
    targets
}
