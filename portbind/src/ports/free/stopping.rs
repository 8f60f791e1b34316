//! Stops processes: first the masters and then the workers that outlive them; each by a signal that asks it to end, and
//! then by SIGKILL.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::freed::{Outcome, Stopped};
use crate::diagnosis::freeing::{Obstacle, Plan, Target};
use crate::diagnosis::stop_signal::{StopSignal, may_be_killed};
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
/// How long workers may outlive their master until they are signalled.
const FOLLOWING: Duration = Duration::from_millis(500);
/// How long a process may take to end after SIGKILL.
const TO_DIE: Duration = Duration::from_secs(5);

/// A process that is pinned by a pidfd, and then signalled.
struct Signalled<'a> {
    target: &'a Target,
    held: Held,
    /// When the process was first seen without a socket on the port.
    let_go: Option<Instant>,
    /// The signal that asks it to end.
    signal: StopSignal,
}

/// How often portbind searches for children that were forked meanwhile. Processes that fork faster cannot be stopped
/// from outside.
const ROUNDS: usize = 5;
/// Tolerance for process start times, which are rounded down to a tick of 10 ms.
const TICKS: SignedDuration = SignedDuration::from_millis(20);

/// Stops the processes that bound a port.
pub(super) struct Stopping<'a> {
    pub(super) host: &'a Host,
    /// Time between the first signal and SIGKILL.
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
            let Target { process, inodes, .. } = target;
            let held_now = if is_master_without_socket(target, targets) {
                self.host.hold_master(process.pid, process.started)
            } else {
                self.host.hold(process.pid, process.started, inodes)
            };
            match held_now {
                Ok(Some(it)) => held.push(Signalled::new(target, it)),
                Ok(None) => stopped.push(unsignalled(target, Outcome::Gone)),
                Err(_) => stopped.push(unsignalled(target, Outcome::Denied)),
            }
        }
        held
    }

    /// Stops the processes that the plan `now` stops: the masters, and then the workers that outlive them.
    fn stop(&self, held: Vec<Signalled<'_>>, now: &Plan, stopped: &mut Vec<Stopped>) {
        let (meant, spared): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|one| now.stops(&one.target.process));
        stopped.extend(spared.iter().map(|one| one.became(Outcome::Gone)));
        let pids: HashSet<u32> = meant.iter().map(Signalled::pid).collect();
        let is_worker = |one: &Signalled<'_>| one.target.ends_with.is_some_and(|pid| pids.contains(&pid));
        let (workers, masters): (Vec<_>, Vec<_>) = meant.into_iter().partition(is_worker);
        let masters_of_workers = workers.iter().filter_map(|one| one.target.ends_with).collect();
        let begin = Instant::now();
        self.end(masters, stopped);
        let left = self.follow(workers, self.grace.saturating_sub(begin.elapsed()), stopped);
        self.end(left, stopped);
        self.follow_up(&masters_of_workers, stopped);
    }

    /// Waits for workers whose masters were signalled, and returns those that have to be signalled themselves. A master
    /// that closed its socket and still runs waits for its workers, as after a request to end gracefully.
    fn follow<'t>(
        &self,
        workers: Vec<Signalled<'t>>,
        patience: Duration,
        stopped: &mut Vec<Stopped>,
    ) -> Vec<Signalled<'t>> {
        let became = |one: &Signalled<'_>, stopped: &[Stopped], outcomes: &[Outcome]| {
            let is_master = |other: &&Stopped| Some(other.process.pid) == one.target.ends_with;
            stopped.iter().find(is_master).is_some_and(|master| outcomes.contains(&master.outcome))
        };
        let (waited, followers): (Vec<_>, Vec<_>) =
            workers.into_iter().partition(|one| became(one, stopped, &[Outcome::LetGo]));
        let mut left = settle(self.host, followers, FOLLOWING, Outcome::EndedWith, stopped);
        left.extend(settle(self.host, waited, patience.max(FOLLOWING), Outcome::EndedWith, stopped));
        // A master that still runs would start its workers again.
        let remains = [Outcome::StillRuns, Outcome::Denied, Outcome::Lingering];
        let (kept, left): (Vec<_>, Vec<_>) = left.into_iter().partition(|one| became(one, stopped, &remains));
        stopped.extend(kept.iter().map(|one| one.became(Outcome::StillRuns)));
        // The signals of the table are for masters.
        left.into_iter().map(|one| Signalled { signal: StopSignal::Terminate, ..one }).collect()
    }

    /// A master that closed its socket first, and then waited for its workers, may have ended since.
    fn follow_up(&self, masters: &HashSet<u32>, stopped: &mut [Stopped]) {
        let has_let_go =
            |one: &&mut Stopped| one.outcome == Outcome::LetGo && masters.contains(&one.process.pid);
        for one in stopped.iter_mut().filter(has_let_go) {
            match self.host.hold_master(one.process.pid, one.process.started) {
                Ok(Some(held)) if !held.has_ended(ENDING) => {}
                Ok(_) => one.outcome = Outcome::Ended,
                Err(_) => {}
            }
        }
    }

    /// Sends processes the signal that asks them to end, waits until they have ended or closed the socket, and kills
    /// the rest when the grace time is over, except servers of data.
    fn end(&self, processes: Vec<Signalled<'_>>, stopped: &mut Vec<Stopped>) {
        let asked = signal(processes, None, Outcome::Gone, stopped);
        let left = settle(self.host, asked, self.grace, Outcome::Ended, stopped);
        let (left, kept): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|one| may_be_killed(&one.target.process));
        stopped.extend(kept.iter().map(|one| one.became(Outcome::StillRuns)));
        let killed = signal(left, Some(Signal::KILL), Outcome::Ended, stopped);
        let left = settle(self.host, killed, TO_DIE, Outcome::Killed, stopped);
        stopped.extend(left.iter().map(|one| one.became(Outcome::Lingering)));
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
            let ends = [Outcome::Ended, Outcome::EndedWith, Outcome::Killed];
            let has_ended = |one: &Stopped| ends.contains(&one.outcome);
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

/// A master whose workers alone have sockets.
fn is_master_without_socket(target: &Target, targets: &[Target]) -> bool {
    target.inodes.is_empty() && targets.iter().any(|other| other.ends_with == Some(target.process.pid))
}

/// Sends processes a signal, or their own one, and returns the processes that received it.
fn signal<'a>(
    processes: Vec<Signalled<'a>>,
    signal: Option<Signal>,
    if_ended: Outcome,
    stopped: &mut Vec<Stopped>,
) -> Vec<Signalled<'a>> {
    let mut reached = Vec::new();
    for one in processes {
        let own = match one.signal {
            StopSignal::Terminate => Signal::TERM,
            StopSignal::Interrupt => Signal::INT,
        };
        match one.held.signal(signal.unwrap_or(own)) {
            Ok(true) => reached.push(one),
            Ok(false) => stopped.push(one.became(if_ended)),
            Err(_) => stopped.push(one.became(Outcome::Denied)),
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
            // A master without a socket is waited for until it ends.
            let has_sockets = one.target.inodes.is_empty() || one.held.has_sockets(host);
            if !has_ended && one.let_go.is_none() && has_sockets {
                return true;
            }
            let let_go = *one.let_go.get_or_insert_with(Instant::now);
            if !has_ended && let_go.elapsed() < ENDING && !is_over {
                return true;
            }
            let outcome = if has_ended { end } else { Outcome::LetGo };
            stopped.push(one.became(outcome));
            false
        });
        let Some(first) = waiting.first().filter(|_| !is_over) else { return waiting };
        let left = patience.saturating_sub(begin.elapsed());
        let _ended = first.held.has_ended(left.min(POLL));
    }
}

fn unsignalled(target: &Target, outcome: Outcome) -> Stopped {
    let signal = StopSignal::of(&target.process);
    Stopped { process: Rc::clone(&target.process), outcome, signal }
}

impl<'a> Signalled<'a> {
    fn new(target: &'a Target, held: Held) -> Self {
        Self { target, held, let_go: None, signal: StopSignal::of(&target.process) }
    }

    fn pid(&self) -> u32 {
        self.target.process.pid
    }

    fn became(&self, outcome: Outcome) -> Stopped {
        Stopped { process: Rc::clone(&self.target.process), outcome, signal: self.signal }
    }
}
