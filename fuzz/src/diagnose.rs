//! A refusal put together from what a target has read, and diagnosed as `portbind trace` does.

use std::rc::Rc;

use jiff::Timestamp;
use portbind::diagnosis::cause::{self, Case, Search};
use portbind::diagnosis::facts::PortFacts;
use portbind::diagnosis::rule::Generation;
use portbind::diagnosis::{other_errors, remedy};
use portbind::event::{Errno, Holder, Operation, Process, Refusal, Socket};

/// A refused call.
pub(crate) struct Call {
    pub(crate) error: Errno,
    pub(crate) operation: Operation,
    pub(crate) process: Rc<Process>,
    pub(crate) socket: Socket,
    pub(crate) holders: Vec<Holder>,
    pub(crate) facts: other_errors::Facts,
}

/// Its cause, and what helps.
pub(crate) fn refusal(call: Call) -> Refusal {
    let Call { error, operation, process, socket, mut holders, facts } = call;
    let case = Case {
        generation: Generation::NEWEST,
        error,
        operation,
        process: &process,
        socket: &socket,
        search: Search::Done,
        connected_only: false,
        history: &[],
        ports: &PortFacts::default(),
        bind_facts: &facts,
    };
    cause::find_conflicts(&case, &mut holders);
    let cause = cause::decide(&case, &holders);
    let fixes = remedy::propose(&case, &cause, &holders);
    let mut refusal = Refusal::new(Timestamp::UNIX_EPOCH, operation, error, process, socket, cause);
    (refusal.holders, refusal.fixes, refusal.backend) = (holders, fixes, "tracepoint");
    refusal
}
