//! Checks whether a bind would succeed: what the kernel's rule predicts, what a trial bind returns, and why.

use std::rc::Rc;

use jiff::Timestamp;

use super::bind::Bind;
use super::error::Error;
use super::inspector::Inspector;
use crate::diagnosis::cause::{self, Case, Search};
use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::predict::{guess_options, is_outgoing, would_pass};
use crate::diagnosis::remedy::reservation;
use crate::diagnosis::rule::Generation;
use crate::diagnosis::{Call, Diagnosis, diagnose, other_errors};
use crate::event::{Confidence, Errno, Fix, Holder, Options, Process, Protocol, Refusal, Socket, State};
use crate::host::bind_facts::FailedCall;
use crate::host::port_sockets::{PortSockets, Protocols, Query, Unseen};
use crate::host::trial::{self, Refused};
use crate::host::{Entrance, Host, generation, ports};

/// Whether a bind would succeed now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// When the bind was tried.
    pub time: Timestamp,
    /// The socket that was bound on trial.
    pub socket: Socket,
    /// The refused call and its cause; `None` if the bind succeeded.
    pub refusal: Option<Refusal>,
    /// The sockets on the port, if the kernel accepted the bind. If it refused, this is empty and [`Refusal::holders`]
    /// has them; [`Self::holders`] serves both cases.
    pub holders: Vec<Holder>,
    /// The result matches the prediction from the kernel's rule and the sockets that were found.
    pub as_expected: bool,
    /// Conditions that can make the same bind fail another time.
    pub warnings: Vec<Fix>,
    /// What portbind was not allowed to see.
    pub unseen: Unseen,
}

impl Check {
    /// The sockets on the port, whether the kernel accepted or refused the bind.
    #[must_use]
    pub fn holders(&self) -> &[Holder] {
        self.refusal.as_ref().map_or(&self.holders, |refusal| &refusal.holders)
    }
}

/// Lists the sockets on a port, and then tries to bind it, which holds the port for microseconds.
///
/// # Errors
/// If the network namespace cannot be entered, or the kernel does not list its sockets.
pub fn check(inspector: &Inspector, bind: &Bind) -> Result<Check, Error> {
    check_socket(inspector, &inspector.socket(bind))
}

/// What was found inside the namespace.
struct Trial {
    outcome: Result<(), Refused>,
    ports: PortFacts,
    /// Facts that explain errors without a holder.
    bind_facts: other_errors::Facts,
    /// Whether a bind with only SO_REUSEADDR succeeds, and whether one with only SO_REUSEPORT does.
    passes_with: (bool, bool),
}

/// Lists the sockets on the port, and then tries the bind of this socket.
pub(super) fn check_socket(inspector: &Inspector, socket: &Socket) -> Result<Check, Error> {
    let query = Query::port(socket.port, Protocols::One(socket.protocol));
    let mut found = inspector.find(&query)?;
    let asks_options = found.holders.iter().any(|holder| !holder.options_known);
    let trial = inspector.netns.inside(|| try_it(socket, asks_options)).map_err(Error::Netns)?;
    guess_options(&mut found.holders, trial.passes_with);
    let generation = generation();
    let foreseen = would_pass(generation, socket, &found.holders);
    let warnings: Vec<Fix> = reservation(socket.port, &trial.ports).into_iter().collect();
    let mut check = Check {
        time: inspector.now(),
        socket: socket.clone(),
        refusal: None,
        holders: Vec::new(),
        as_expected: trial.outcome.is_ok() == foreseen,
        warnings,
        unseen: found.unseen,
    };
    match trial.outcome {
        Ok(()) => check.holders = found.holders,
        Err(refused) => {
            // The rule predicts only EADDRINUSE.
            check.as_expected |= refused.error != Errno::EADDRINUSE;
            let refusal = explain(inspector, generation, socket, refused, &trial, found);
            check.warnings.retain(|warning| refusal.fixes.iter().all(|fix| fix.code != warning.code));
            check.refusal = Some(refusal);
        }
    }
    Ok(check)
}

/// Tries the bind in this thread's network namespace.
fn try_it(socket: &Socket, asks_options: bool) -> Trial {
    let outcome = trial::serve(socket);
    let with = |reuse_address, reuse_port| {
        let options = Options { reuse_address, reuse_port, v6_only: socket.options.v6_only };
        asks_options && trial::bind(&Socket { options, ..socket.clone() }).is_ok()
    };
    let error = outcome.err().map_or(Errno(0), |refused| refused.error);
    let host = Host::new();
    let pid = std::process::id();
    // A new socket is bound only once, and with an address of the right length.
    let bind_facts = host.bind_facts(&FailedCall {
        error,
        pid,
        start_boot_ns: host.start_boot_ns(pid).unwrap_or(0),
        socket,
        state: State::Bound,
        has_port: false,
        parents: &[],
        uid: rustix::process::getuid().as_raw(),
    });
    Trial {
        outcome,
        ports: ports::facts(&Entrance::Own, None, socket),
        bind_facts,
        passes_with: (with(true, false), with(false, true)),
    }
}

fn explain(
    inspector: &Inspector,
    generation: Generation,
    socket: &Socket,
    refused: Refused,
    trial: &Trial,
    sockets: PortSockets,
) -> Refusal {
    let PortSockets { mut holders, unseen, .. } = sockets;
    // The remedies are worded generally: portbind is not the program that will bind.
    let own = inspector.host.describe(std::process::id()).unwrap_or_default();
    let process = Process { exe: None, group: None, ..own };
    let case = Case {
        generation,
        error: refused.error,
        operation: refused.operation,
        process: &process,
        socket,
        search: if unseen.bound_sockets { Search::Truncated } else { Search::Done },
        connected_only: is_stream(socket.protocol) && is_outgoing(&holders, trial.ports.ephemeral),
        history: &[],
        ports: &trial.ports,
        bind_facts: &trial.bind_facts,
    };
    cause::find_conflicts(&case, &mut holders);
    let Diagnosis { cause, fixes, .. } = diagnose(&Call::Port(case), &holders);
    Refusal {
        time: inspector.now(),
        operation: refused.operation,
        error: refused.error,
        socket: socket.clone(),
        holders,
        holders_truncated: unseen.bound_sockets,
        bystanders: 0,
        cause,
        relation: None,
        fixes,
        history: Vec::new(),
        confidence: Confidence::Kernel,
        backend: "trial",
        lost: 0,
        on_behalf: None,
        process: Rc::new(process),
    }
}

const fn is_stream(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Mptcp)
}
