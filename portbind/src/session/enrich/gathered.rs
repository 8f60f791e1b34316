//! What is known of a refused call before it is diagnosed.

use std::rc::Rc;

use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::{other_errors, unix};
use crate::event::{Confidence, Holder, PortKey, Process, Socket};

/// A refused call, with who is behind its pids and sockets.
#[derive(Debug)]
pub(in crate::session) struct Gathered {
    /// The caller.
    pub(super) process: Rc<Process>,
    /// The socket, with what was asked for.
    pub(super) socket: Socket,
    /// The sockets that have it, those in the way first.
    pub(super) holders: Vec<Holder>,
    /// What else decides over the call.
    pub(super) facts: Facts,
}

/// What decides over a call, besides the holders.
#[derive(Debug)]
pub(super) enum Facts {
    /// The call of a socket with a port.
    Port {
        /// The port.
        key: PortKey,
        /// The ports of the network namespace.
        ports: PortFacts,
        /// What decides over errors that no holder explains.
        other: other_errors::Facts,
    },
    /// The call of a socket without a port.
    Portless {
        /// What is known of a name of AF_UNIX.
        unix: Option<unix::Facts>,
        /// When the holders were looked for.
        confidence: Confidence,
    },
}

impl Gathered {
    /// The holder in the way was open in a process that cannot be found, and who opened it is not known.
    pub(in crate::session) fn lacks_opener(&self) -> bool {
        let in_the_way = self.holders.first().filter(|holder| holder.conflicts);
        in_the_way.is_some_and(|holder| holder.is_of_the_past() && holder.opened_by.is_none())
    }
}
