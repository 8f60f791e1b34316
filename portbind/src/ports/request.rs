//! The subject of a question.

use crate::event::{Name, Protocol};

/// A port, or the name of a portless socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortOrName {
    /// A port.
    Port(u16),
    /// The name of an AF_UNIX socket.
    Name(Name),
}

/// The subject of a question: a port or a name in one network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// A port, or the name of a portless socket.
    pub target: PortOrName,
    /// One protocol, or all.
    pub protocol: Option<Protocol>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The namespace's name, if the namespace is not this process's own.
    pub netns_name: Option<String>,
}
