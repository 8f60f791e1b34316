//! Swallowed refusals, leaks and commands: a bounded number of each.

use jiff::Timestamp;

use super::foreign::Foreign;
use super::place::Place;
use super::side::Party;

/// A refusal that its process did not report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swallowed {
    /// The time of the refusal.
    pub refused: Timestamp,
    /// The name of the caller.
    pub name: Foreign,
    /// The pid of the caller.
    pub pid: u32,
    /// The requested port or name, and the code of the cause; `None` if the recording lacks the refusal itself.
    pub what: Option<(Place, Foreign)>,
    /// Milliseconds that the process continued to run.
    pub lived_on_ms: f64,
    /// The exit status of the process.
    pub exit_status: Option<u8>,
}

/// A socket that was still bound when its command had ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Leak {
    /// The time at which the leak was found.
    pub time: Timestamp,
    /// The port.
    pub place: Place,
    /// State of the socket.
    pub state: Foreign,
    /// The process that opened the socket; `None` if unknown.
    pub opener: Option<Party>,
    /// The process that has the socket open.
    pub owner: Party,
}

/// A command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// The start of the command.
    pub started: Timestamp,
    /// The arguments, joined with blanks.
    pub args: Foreign,
    /// The end of the command; `None` if the recording lacks it.
    pub ended: Option<Timestamp>,
    /// The exit status of the command.
    pub exit_status: Option<u8>,
    /// The signal that ended the command.
    pub signal: Option<u8>,
    /// Refusals that were recorded while the command ran.
    pub refusals: u64,
    /// Sockets that outlived the command.
    pub leaks: u64,
}
