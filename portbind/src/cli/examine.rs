//! Whether a bind would succeed: what the rule lets expect, what a trial says, and why not.

use super::helper::Helper;
use crate::cli::error::Error;
use crate::diagnosis::answer::Check;
use crate::diagnosis::cause::{self, Case, Search};
use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::foresight::{guess_options, is_outgoing, would_pass};
use crate::diagnosis::other::Facts;
use crate::diagnosis::remedy::{self, reservation};
use crate::diagnosis::rule::Generation;
use crate::event::{Confidence, Errno, Fix, Options, Process, Protocol, Refusal, Socket, State};
use crate::host::bind_facts::FailedCall;
use crate::host::port_sockets::{Found, Protocols, Query};
use crate::host::trial::{self, Refused};
use crate::host::{Entrance, Host, generation, ports};

/// What was found out inside the namespace.
struct Trial {
    outcome: Result<(), Refused>,
    ports: PortFacts,
    /// What decides over errors that no holder explains.
    other: Facts,
    /// A bind with SO_REUSEADDR alone passes, and one with SO_REUSEPORT alone does.
    passes_with: (bool, bool),
}

/// Looks at the port, and then tries the bind.
pub(super) fn examine(helper: &Helper, socket: &Socket) -> Result<Check, Error> {
    let query = Query::port(socket.port, Protocols::One(socket.protocol));
    let mut found = helper.find(&query)?;
    let asks_options = found.holders.iter().any(|holder| !holder.options_known);
    let trial = helper.netns.inside(|| try_it(socket, asks_options)).map_err(Error::Netns)?;
    guess_options(&mut found.holders, trial.passes_with);
    let generation = generation();
    let foreseen = would_pass(generation, socket, &found.holders);
    let warnings: Vec<Fix> = reservation(socket.port, &trial.ports).into_iter().collect();
    let mut check = Check {
        time: helper.now(),
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
            // The rule is about ports that are taken.
            check.as_expected |= refused.error != Errno::EADDRINUSE;
            let refusal = explain(helper, generation, socket, refused, &trial, found);
            check.warnings.retain(|warning| refusal.fixes.iter().all(|fix| fix.code != warning.code));
            check.refusal = Some(refusal);
        }
    }
    Ok(check)
}

/// Tries the bind in the network namespace of this thread.
fn try_it(socket: &Socket, asks_options: bool) -> Trial {
    let outcome = trial::serve(socket);
    let with = |reuse_address, reuse_port| {
        let options = Options { reuse_address, reuse_port, v6_only: socket.options.v6_only };
        asks_options && trial::bind(&Socket { options, ..socket.clone() }).is_ok()
    };
    let error = outcome.err().map_or(Errno(0), |refused| refused.error);
    let host = Host::new();
    let pid = std::process::id();
    // A new socket is bound once, and with an address of the right length.
    let other = host.bind_facts(&FailedCall {
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
        ports: ports::look(&Entrance::Own, None, socket),
        other,
        passes_with: (with(true, false), with(false, true)),
    }
}

fn explain(
    helper: &Helper,
    generation: Generation,
    socket: &Socket,
    refused: Refused,
    trial: &Trial,
    found: Found,
) -> Refusal {
    let Found { mut holders, unseen, .. } = found;
    // What helps is said in general words: the program that is to bind is not this one.
    let own = helper.host.describe(std::process::id()).unwrap_or_default();
    let process = Process { exe: None, ..own };
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
        other: &trial.other,
    };
    cause::find_conflicts(&case, &mut holders);
    let cause = cause::decide(&case, &holders);
    let fixes = remedy::propose(&case, &cause, &holders);
    Refusal {
        time: helper.now(),
        operation: refused.operation,
        error: refused.error,
        socket: socket.clone(),
        holders,
        holders_truncated: unseen.bound_sockets,
        bystanders: 0,
        cause,
        fixes,
        history: Vec::new(),
        confidence: Confidence::Kernel,
        backend: "trial",
        lost: 0,
        process: std::rc::Rc::new(process),
    }
}

const fn is_stream(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Mptcp)
}
