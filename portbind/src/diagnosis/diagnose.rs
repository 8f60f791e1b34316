//! The single path from a refused call's facts to its cause and remedies.

use super::cause::{self, Case};
use super::relation::relate;
use super::remedy::stop::Stop;
use super::{other_errors, other_families, remedy, unix};
use crate::event::{Cause, Errno, Fix, Holder, Operation, Process, Relation, Socket, State};

/// A refused call with everything that decides about its cause.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// A call on a socket with a port. The holders are sorted by [`cause::find_conflicts`].
    Port(Case<'a>),
    /// A call on a portless socket.
    Portless {
        /// The error that the caller got.
        error: Errno,
        /// The call.
        operation: Operation,
        /// The caller.
        process: &'a Process,
        /// The socket, with the requested name.
        socket: &'a Socket,
        /// Facts about an AF_UNIX name; `None` for other families.
        unix: Option<&'a unix::Facts>,
    },
}

/// Why a call was refused, and what makes the call work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why the kernel refused.
    pub cause: Cause,
    /// How the caller is related to the process in its way.
    pub relation: Option<Relation>,
    /// What makes the call work, safest first.
    pub fixes: Vec<Fix>,
}

/// An abstract name ends with its last descriptor; a path stays until it is removed.
fn unix_fixes(facts: &unix::Facts, caller: &Process, holders: &[Holder]) -> Vec<Fix> {
    if let Some(fix) = unix::fix(facts) {
        return vec![fix];
    }
    let is_live = matches!(facts, unix::Facts::Path { object: unix::Object::LiveSocket, .. });
    let holders: Vec<&Holder> = holders.iter().collect();
    if !(is_live || *facts == unix::Facts::Abstract)
        || holders.iter().any(|holder| holder.processes.is_empty())
    {
        return Vec::new();
    }
    // Some programs remove their file when they end, and others leave it.
    let then = if is_live { ", and remove the file if it is still there then" } else { "" };
    Stop { caller, holders: &holders, port: None, then }.propose()
}

/// Names the cause of a refusal and its remedies.
#[must_use]
pub fn diagnose(call: &Call<'_>, holders: &[Holder]) -> Diagnosis {
    match *call {
        Call::Port(ref case) => {
            let cause = cause::decide(case, holders);
            let fixes = remedy::propose(case, &cause, holders);
            Diagnosis { cause, relation: relate(case.process, holders), fixes }
        }
        Call::Portless { error, operation, socket, .. } if error != Errno::EADDRINUSE => {
            let cause =
                other_errors::explain(error, operation, socket, &other_errors::Facts::unknown(State::Bound));
            Diagnosis { cause, relation: None, fixes: Vec::new() }
        }
        Call::Portless { process, unix: Some(facts), .. } => Diagnosis {
            cause: unix::decide(facts, process, holders),
            relation: relate(process, holders),
            fixes: unix_fixes(facts, process, holders),
        },
        Call::Portless { process, socket, unix: None, .. } => {
            let cause = other_families::decide(socket, process, holders);
            Diagnosis { cause, relation: relate(process, holders), fixes: Vec::new() }
        }
    }
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
