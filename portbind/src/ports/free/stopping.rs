//! Asks processes to end, and sees to it that they do.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::freed::{Outcome, Stopped};
use crate::diagnosis::freeing::{Obstacle, Plan, Target};
use crate::event::Process;
use crate::host::Host;
use crate::host::stop::Held;
use crate::ports::error::Error;

/// How often a process is polled that is to let go of the port.
const POLL: Duration = Duration::from_millis(10);
/// How long a process that has no socket on the port any more may take to end: the kernel closes its files first (do_exit in
/// kernel/exit.c).
const ENDING: Duration = Duration::from_millis(200);
/// How long a process may take to end after SIGKILL.
const TO_DIE: Duration = Duration::from_secs(5);

/// A process that is held, and then sent a signal.
struct Signalled<'a> {
    target: &'a Target,
    held: Held,
    /// When it was first seen without a socket on the port.
    let_go: Option<Instant>,
}

/// How often children that were forked meanwhile are looked for: a family that forks faster than that is not to be
/// stopped from outside.
const ROUNDS: usize = 5;
/// A process' start is rounded down to a tick of 10 ms.
const TICKS: SignedDuration = SignedDuration::from_millis(20);

/// The stopping of whoever bound a port.
pub(super) struct Stopping<'a> {
    pub(super) host: &'a Host,
    /// How long processes have between SIGTERM and SIGKILL.
    pub(super) grace: Duration,
    /// When the sockets on the port were looked at first.
    pub(super) begun: Timestamp,
    /// Finds the sockets again, and decides again.
    pub(super) plan_again: &'a dyn Fn() -> Result<Plan, Error>,
}

impl Stopping<'_> {
    /// Stops the processes of a plan, and children that they fork meanwhile. The plan is made again while the
    /// processes are held by their pidfds: if that one forbids to stop anybody, nobody is stopped, and it is returned.
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
        stopped.sort_by_key(|one| one.process.pid);
        Ok(Ok(stopped))
    }

    /// Holds those that still are who they were, and have the socket open.
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

    /// Sends SIGTERM to those that the plan of now stops, waits until they have ended or let go of the port, and
    /// kills those that have not when the time is over.
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

    /// Processes that have a socket open now because a process that was asked to end has forked them meanwhile. Whoever was
    /// handed the socket meanwhile is none of them.
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
        // Another socket on the port is of somebody who took it meanwhile.
        let is_same = |inode: &u64| known.iter().any(|one| one.inodes.contains(inode));
        let is_new = |target: &&Target| {
            !is_known(&target.process) && target.inodes.iter().any(is_same) && is_heir(&target.process)
        };
        now.targets.iter().filter(is_new).cloned().collect()
    }

    /// A process started after the sockets on the port were looked at.
    fn is_younger(&self, process: &Process) -> bool {
        process.started.is_some_and(|started| started.duration_since(self.begun) >= -TICKS)
    }
}

/// A process is what a fork of another one is, though it has lost its parent.
fn is_copy(process: &Process, of: &Process) -> bool {
    process.exe.is_some()
        && !process.args.is_empty()
        && (&process.exe, &process.args, process.uid) == (&of.exe, &of.args, of.uid)
}

/// Sends a signal to processes; those that got it.
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

/// Waits until processes have ended or let go of the port; those that have not.
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
