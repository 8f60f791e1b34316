//! The facts about a refused call before its diagnosis.

use std::rc::Rc;

use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::{other_errors, unix};
use crate::event::{Confidence, Holder, PortKey, Process, Socket};

/// A refused call, with the processes behind its pids and sockets.
#[derive(Debug)]
pub(in crate::session) struct Gathered {
    /// The caller.
    pub(super) process: Rc<Process>,
    /// The socket, with the requested address or name.
    pub(super) socket: Socket,
    /// The sockets on the port or name, those in the way first.
    pub(super) holders: Vec<Holder>,
    /// The other facts that decide the cause.
    pub(super) facts: Facts,
}

/// The facts besides the holders that decide the cause of a refused call.
#[derive(Debug)]
pub(super) enum Facts {
    /// A call on a socket with a port.
    Port {
        /// The port.
        key: PortKey,
        /// Port settings and use in the network namespace.
        ports: PortFacts,
        /// The facts that decide about errors which no holder explains.
        bind_facts: other_errors::Facts,
    },
    /// A call on a portless socket.
    Portless {
        /// Facts about an AF_UNIX name.
        unix: Option<unix::Facts>,
        /// Whether the holders were found by a later search.
        confidence: Confidence,
    },
}

impl Gathered {
    /// Whether the holder in the way was open in a process that cannot be found, and its opener is unknown.
    pub(in crate::session) fn lacks_opener(&self) -> bool {
        let in_the_way = self.holders.first().filter(|holder| holder.conflicts);
        in_the_way.is_some_and(|holder| holder.is_of_the_past() && holder.opened_by.is_none())
    }
}
