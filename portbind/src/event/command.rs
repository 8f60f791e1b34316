//! A wrapped command: what became of it, of the processes that were refused, and what it left behind.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::holder::Holder;
use super::job::Job;
use super::process::Process;

/// A command that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// When.
    pub time: Timestamp,
    /// Its process.
    pub pid: u32,
    /// The command and its arguments.
    pub args: Vec<String>,
    /// Real user id it runs with.
    pub uid: u32,
    /// Name of that user.
    pub user: Option<String>,
    /// The test or CI job it works for.
    pub job: Option<Job>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// By itself, with this status.
    Exited(u8),
    /// By this signal.
    Killed(u8),
}

/// The end of a process of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// When.
    pub time: Timestamp,
    /// Thread group id.
    pub pid: u32,
    /// How.
    pub ending: Ending,
}

/// How the process of a refusal went on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// When it was refused.
    pub refused: Timestamp,
    /// The process.
    pub process: Rc<Process>,
    /// Its end; `None` if it still ran when tracing ended.
    pub ended: Option<Ended>,
    /// Up to when it is known to have lived.
    pub until: Timestamp,
}

/// A socket that a descendant still had bound when the command had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// When it was found.
    pub time: Timestamp,
    /// Inode number of its network namespace.
    pub netns: u32,
    /// The socket, who opened it and who has it open.
    pub socket: Holder,
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandEnd {
    /// When.
    pub time: Timestamp,
    /// When it was started.
    pub started: Timestamp,
    /// How.
    pub ending: Ending,
}

impl Ending {
    /// Reads what wait(2) tells: exit status in bits 8 to 15, signal in bits 0 to 6.
    #[must_use]
    pub const fn of_wait_status(status: u32) -> Self {
        let [low, high, ..] = status.to_le_bytes();
        match low & 0x7f {
            0 => Self::Exited(high),
            signal => Self::Killed(signal),
        }
    }

    /// What a shell, and timeout(1), make of it.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => 128 + signal,
        }
    }
}

impl Outcome {
    /// How the process that was refused at `refused` went on; `ends` are those of processes of the command in
    /// the order in which they ended, and `now` is when tracing ended. A pid belongs to one process until that
    /// ends, so the next end of that number is the one.
    #[must_use]
    pub fn of(refused: Timestamp, process: &Rc<Process>, ends: &[Ended], now: Timestamp) -> Self {
        let ended = ends.iter().find(|end| end.pid == process.pid && end.time >= refused).copied();
        let until = ended.map_or(now, |end| end.time);
        Self { refused, process: Rc::clone(process), ended, until }
    }

    /// How long it lived on.
    #[must_use]
    pub fn lived_on(&self) -> SignedDuration {
        self.until.duration_since(self.refused)
    }

    /// It lived on, and did not end with a failure: its exit status does not tell of the refusal.
    #[must_use]
    pub fn is_swallowed(&self) -> bool {
        self.ended.is_none_or(|end| end.ending == Ending::Exited(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses() {
        let cases = [
            (0, Ending::Exited(0)),
            (0x0300, Ending::Exited(3)),
            (9, Ending::Killed(9)),
            (0x8b, Ending::Killed(11)),
        ];
        for (status, ending) in cases {
            assert_eq!(Ending::of_wait_status(status), ending);
        }
        assert_eq!((Ending::Exited(3).exit_status(), Ending::Killed(9).exit_status()), (3, 137));
    }

    #[test]
    fn the_next_end_of_a_pid_is_that_of_its_process() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let process = Rc::new(Process { pid: 7, ..Process::default() });
        let end = |second, pid, status| Ended { time: at(second), pid, ending: Ending::Exited(status) };
        let ends = [end(1, 7, 0), end(5, 8, 0), end(6, 7, 1), end(9, 7, 0)];
        let outcome = |refused, ends: &[Ended]| Outcome::of(at(refused), &process, ends, at(10));
        assert_eq!(outcome(3, &ends).lived_on(), SignedDuration::from_secs(3));
        assert!(!outcome(3, &ends).is_swallowed());
        assert!(outcome(8, &ends).is_swallowed());
        assert_eq!(outcome(9, &[]).lived_on(), SignedDuration::from_secs(1));
        assert!(outcome(9, &[]).is_swallowed());
    }
}
