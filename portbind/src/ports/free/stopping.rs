//! Stops processes: SIGTERM first, then SIGKILL.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::freed::{Outcome, Stopped};
use crate::diagnosis::freeing::{Obstacle, Plan, Target};
use crate::event::Process;
use crate::host::Host;
use crate::host::stop::Held;
use crate::order::sort_by_key;
use crate::ports::error::Error;

/// Polling interval for a process that is to close the socket.
const POLL: Duration = Duration::from_millis(10);
/// How long a process without a socket on the port may still take to end: the kernel closes the process's files first
/// (do_exit in kernel/exit.c).
const ENDING: Duration = Duration::from_millis(200);
/// How long a process may take to end after SIGKILL.
const TO_DIE: Duration = Duration::from_secs(5);

/// A process that is pinned by a pidfd, and then signalled.
struct Signalled<'a> {
    target: &'a Target,
    held: Held,
    /// When the process was first seen without a socket on the port.
    let_go: Option<Instant>,
}

/// How often portbind searches for children that were forked meanwhile. Processes that fork faster cannot be stopped
/// from outside.
const ROUNDS: usize = 5;
/// Tolerance for process start times, which are rounded down to a tick of 10 ms.
const TICKS: SignedDuration = SignedDuration::from_millis(20);

/// Stops the processes that bound a port.
pub(super) struct Stopping<'a> {
    pub(super) host: &'a Host,
    /// Time between SIGTERM and SIGKILL.
    pub(super) grace: Duration,
    /// When the sockets on the port were first listed.
    pub(super) begun: Timestamp,
    /// Lists the sockets again, and makes a new plan.
    pub(super) plan_again: &'a dyn Fn() -> Result<Plan, Error>,
}

impl Stopping<'_> {
    /// Stops the processes of a plan, and children that they fork meanwhile. Once pidfds pin the processes, the plan is
    /// made again: if the new plan forbids stopping, no process is stopped, and the new plan is returned.
    pub(super) fn stop_all(&self, plan: &Plan) -> Result<Result<Vec<Stopped>, Plan>, Error> {
        let mut stopped = Vec::new();
        let mut targets = plan.targets.clone();
        let mut known = targets.clone();
        for round in 0..ROUNDS {
            if targets.is_empty() {
                break;
            }
            let held = self.hold(&targets, &mut stopped);
            let now = (self.plan_again)()?;
            if now.obstacles.iter().any(Obstacle::forbids) {
                if round == 0 {
                    return Ok(Err(now));
                }
                break;
            }
            self.stop(held, &now, &mut stopped);
            targets = self.heirs(&(self.plan_again)()?, &known, &stopped);
            known.extend(targets.iter().cloned());
        }
        sort_by_key(&mut stopped, |one| one.process.pid);
        Ok(Ok(stopped))
    }

    /// Pins the processes that are unchanged and still have the socket open.
    fn hold<'t>(&self, targets: &'t [Target], stopped: &mut Vec<Stopped>) -> Vec<Signalled<'t>> {
        let mut held = Vec::new();
        for target in targets {
            let process = &target.process;
            match self.host.hold(process.pid, process.started, &target.inodes) {
                Ok(Some(it)) => held.push(Signalled { target, held: it, let_go: None }),
                Ok(None) => stopped.push(became(target, Outcome::Gone)),
                Err(_) => stopped.push(became(target, Outcome::Denied)),
            }
        }
        held
    }

    /// Sends SIGTERM to the processes that the plan `now` stops, waits until they have ended or closed the socket, and
    /// kills the rest when the grace time is over.
    fn stop(&self, held: Vec<Signalled<'_>>, now: &Plan, stopped: &mut Vec<Stopped>) {
        let (meant, spared): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|one| now.stops(&one.target.process));
        stopped.extend(spared.iter().map(|one| became(one.target, Outcome::Gone)));
        let asked = signal(meant, Signal::TERM, Outcome::Gone, stopped);
        let left = settle(self.host, asked, self.grace, Outcome::Ended, stopped);
        let killed = signal(left, Signal::KILL, Outcome::Ended, stopped);
        let left = settle(self.host, killed, TO_DIE, Outcome::Killed, stopped);
        stopped.extend(left.iter().map(|one| became(one.target, Outcome::Lingering)));
    }

    /// Processes that own a socket now because a process that was signalled has forked them meanwhile. A process that
    /// received the socket meanwhile is not one of them.
    fn heirs(&self, now: &Plan, known: &[Target], stopped: &[Stopped]) -> Vec<Target> {
        if now.obstacles.iter().any(Obstacle::forbids) {
            return Vec::new();
        }
        let is_known = |process: &Process| {
            known.iter().any(|one| (one.process.pid, one.process.started) == (process.pid, process.started))
        };
        let runs = |pid: u32| {
            let has_ended = |one: &Stopped| matches!(one.outcome, Outcome::Ended | Outcome::Killed);
            known.iter().any(|one| one.process.pid == pid)
                && !stopped.iter().any(|one| one.process.pid == pid && has_ended(one))
        };
        let is_heir = |process: &Process| {
            process.ancestors.iter().any(|ancestor| runs(ancestor.pid))
                || self.is_younger(process) && known.iter().any(|one| is_copy(process, &one.process))
        };
        // A different socket on the port belongs to a process that took the port meanwhile.
        let is_same = |inode: &u64| known.iter().any(|one| one.inodes.contains(inode));
        let is_new = |target: &&Target| {
            !is_known(&target.process) && target.inodes.iter().any(is_same) && is_heir(&target.process)
        };
        now.targets.iter().filter(is_new).cloned().collect()
    }

    /// Whether a process started after the sockets on the port were listed.
    fn is_younger(&self, process: &Process) -> bool {
        process.started.is_some_and(|started| started.duration_since(self.begun) >= -TICKS)
    }
}

/// Whether a process equals a fork of another one, even if its parent has changed.
fn is_copy(process: &Process, of: &Process) -> bool {
    process.exe.is_some()
        && !process.args.is_empty()
        && (&process.exe, &process.args, process.uid) == (&of.exe, &of.args, of.uid)
}

/// Sends a signal to processes, and returns the processes that received it.
fn signal<'a>(
    processes: Vec<Signalled<'a>>,
    signal: Signal,
    if_ended: Outcome,
    stopped: &mut Vec<Stopped>,
) -> Vec<Signalled<'a>> {
    let mut reached = Vec::new();
    for one in processes {
        match one.held.signal(signal) {
            Ok(true) => reached.push(one),
            Ok(false) => stopped.push(became(one.target, if_ended)),
            Err(_) => stopped.push(became(one.target, Outcome::Denied)),
        }
    }
    reached
}

/// Waits until processes have ended or closed the socket, and returns the rest.
fn settle<'a>(
    host: &Host,
    mut waiting: Vec<Signalled<'a>>,
    patience: Duration,
    end: Outcome,
    stopped: &mut Vec<Stopped>,
) -> Vec<Signalled<'a>> {
    let begin = Instant::now();
    loop {
        let is_over = begin.elapsed() >= patience;
        waiting.retain_mut(|one| {
            let has_ended = one.held.has_ended(Duration::ZERO);
            if !has_ended && one.let_go.is_none() && one.held.has_sockets(host) {
                return true;
            }
            let let_go = *one.let_go.get_or_insert_with(Instant::now);
            if !has_ended && let_go.elapsed() < ENDING && !is_over {
                return true;
            }
            let outcome = if has_ended { end } else { Outcome::LetGo };
            stopped.push(became(one.target, outcome));
            false
        });
        let Some(first) = waiting.first().filter(|_| !is_over) else { return waiting };
        let left = patience.saturating_sub(begin.elapsed());
        let _ended = first.held.has_ended(left.min(POLL));
    }
}

fn became(target: &Target, outcome: Outcome) -> Stopped {
    Stopped { process: target.process.clone(), outcome }
}
