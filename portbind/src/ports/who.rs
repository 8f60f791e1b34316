//! Who has a port, or is bound to the name of a socket.

use jiff::Timestamp;

use super::error::Error;
use super::inspector::Inspector;
use super::request::{PortOrName, Request};
use crate::diagnosis::unix::Object;
use crate::event::{Holder, Protocol};
use crate::host::port_sockets::{Protocols, Query, Unseen};

/// Who is on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// When.
    pub time: Timestamp,
    /// What was asked about.
    pub request: Request,
    /// The sockets, listeners first.
    pub holders: Vec<Holder>,
    /// What is at the path, if that was asked about.
    pub object: Option<Object>,
    /// What could not be seen.
    pub unseen: Unseen,
}

impl Who {
    /// Whether a socket is there. Of a socket file the kernel may say so though the socket itself is not found.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        !self.holders.is_empty() || self.object == Some(Object::LiveSocket)
    }
}

/// Finds the sockets on a port, of one protocol or of every one, or those that are bound to a name, and the processes
/// that have them open.
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
