//! Swallowed refusals, leaks and commands: a bounded number of each as it was told.

use jiff::Timestamp;

use super::foreign::Foreign;
use super::place::Place;
use super::side::Party;

/// A refusal whose process lived on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swallowed {
    /// When it was refused.
    pub refused: Timestamp,
    /// Who was refused.
    pub name: Foreign,
    /// Its pid.
    pub pid: u32,
    /// What it asked for, and the code of the cause; `None` where the refusal itself was not told.
    pub what: Option<(Place, Foreign)>,
    /// Milliseconds it lived on.
    pub lived_on_ms: f64,
    /// Its exit status.
    pub exit_status: Option<u8>,
}

/// A socket that was still bound when its command had ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Leak {
    /// When it was found.
    pub time: Timestamp,
    /// The port.
    pub place: Place,
    /// State of the socket.
    pub state: Foreign,
    /// Who opened it; `None` if that is not known.
    pub opener: Option<Party>,
    /// Who has it open.
    pub owner: Party,
}

/// A command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// When it was started.
    pub started: Timestamp,
    /// Its arguments with blanks between them.
    pub args: Foreign,
    /// When it ended; `None` if that was not told.
    pub ended: Option<Timestamp>,
    /// Its exit status.
    pub exit_status: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<u8>,
    /// Refusals that were told while it ran.
    pub refusals: u64,
    /// Sockets that outlived it.
    pub leaks: u64,
}
