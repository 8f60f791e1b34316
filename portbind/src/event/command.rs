//! A wrapped command: how it and its refused processes ended, and which sockets it left behind.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::holder::Holder;
use super::job::Job;
use super::process::Process;

/// The start of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// When it was started.
    pub time: Timestamp,
    /// Its process id.
    pub pid: u32,
    /// The command and its arguments.
    pub args: Vec<String>,
    /// Real user id.
    pub uid: u32,
    /// Name of that user.
    pub user: Option<String>,
    /// The test or CI job that it belongs to.
    pub job: Option<Job>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It exited with this status.
    Exited(u8),
    /// It was killed by this signal.
    Killed(u8),
}

/// The end of one of the command's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// When it ended.
    pub time: Timestamp,
    /// Thread group id.
    pub pid: u32,
    /// How it ended.
    pub ending: Ending,
}

/// What a refused process did after its refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// When it was refused.
    pub refused: Timestamp,
    /// The process.
    pub process: Rc<Process>,
    /// Its end; `None` if it still ran when tracing ended.
    pub ended: Option<Ended>,
    /// The last time at which it was known to be alive.
    pub until: Timestamp,
}

/// A socket that a descendant still had bound after the command had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// When it was found.
    pub time: Timestamp,
    /// Inode number of its network namespace.
    pub netns: u32,
    /// The socket, the process that opened it, and its owners.
    pub socket: Holder,
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandEnd {
    /// When it ended.
    pub time: Timestamp,
    /// When it was started.
    pub started: Timestamp,
    /// How it ended.
    pub ending: Ending,
}

impl Ending {
    /// Decodes the status of wait(2): exit status in bits 8 to 15, signal in bits 0 to 6.
    #[must_use]
    pub const fn of_wait_status(status: u32) -> Self {
        let [low, high, ..] = status.to_le_bytes();
        match low & 0x7f {
            0 => Self::Exited(high),
            signal => Self::Killed(signal),
        }
    }

    /// The exit status that a shell or timeout(1) reports for it.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => 128 + signal,
        }
    }
}

impl Outcome {
    /// What the process refused at `refused` did afterwards. `ends` are the ends of the command's processes, in their
    /// order; `now` is when tracing ended. A pid belongs to one process until it ends, so the first end of that pid
    /// after the refusal is the right one.
    #[must_use]
    pub fn of(refused: Timestamp, process: &Rc<Process>, ends: &[Ended], now: Timestamp) -> Self {
        let ended = ends.iter().find(|end| end.pid == process.pid && end.time >= refused).copied();
        let until = ended.map_or(now, |end| end.time);
        Self { refused, process: Rc::clone(process), ended, until }
    }

    /// How long it lived after the refusal.
    #[must_use]
    pub fn lived_on(&self) -> SignedDuration {
        self.until.duration_since(self.refused)
    }

    /// It lived on and did not fail: its exit status does not show the refusal.
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
