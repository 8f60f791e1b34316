//! Finds the sockets on a port, or bound to a name.

use jiff::Timestamp;

use super::error::Error;
use super::inspector::Inspector;
use super::request::{PortOrName, Request};
use crate::diagnosis::unix::Object;
use crate::event::{Holder, Protocol};
use crate::host::port_sockets::{Protocols, Query, Unseen};

/// The sockets on a port or name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Who {
    /// The time of the answer.
    pub time: Timestamp,
    /// The subject of the question.
    pub request: Request,
    /// The sockets, listeners first.
    pub holders: Vec<Holder>,
    /// The object at the path, if the question was about a path.
    pub object: Option<Object>,
    /// What portbind was not allowed to see.
    pub unseen: Unseen,
}

impl Who {
    /// Whether a socket exists. For a socket file the kernel may report one although portbind cannot find the socket
    /// itself.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        !self.holders.is_empty() || self.object == Some(Object::LiveSocket)
    }
}

/// Finds the sockets on a port (of one protocol or all) or bound to a name, and the processes that have them open.
///
/// # Errors
/// If the network namespace cannot be entered, or the kernel does not list its sockets.
pub fn who(inspector: &Inspector, target: &PortOrName, protocol: Option<Protocol>) -> Result<Who, Error> {
    let (sockets, sight) = match target {
        PortOrName::Port(port) => {
            let protocols = protocol.map_or(Protocols::All, Protocols::One);
            (inspector.find(&Query::port(*port, protocols))?, None)
        }
        PortOrName::Name(name) => inspector.find_name(name)?,
    };
    Ok(Who {
        time: inspector.now(),
        request: Request { protocol, ..inspector.request(target.clone()) },
        holders: sockets.holders,
        object: sight.map(|sight| sight.object),
        unseen: sockets.unseen,
    })
}
