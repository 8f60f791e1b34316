//! What is asked about.

use crate::event::{Name, Protocol};

/// A port, or the name of a socket that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortOrName {
    /// A port.
    Port(u16),
    /// A name of AF_UNIX.
    Name(Name),
}

/// What was asked about: a port or a name, in one network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A port, or the name of a socket that has none.
    pub target: PortOrName,
    /// One protocol, or every one.
    pub protocol: Option<Protocol>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of that namespace, where it is another than this process' own.
    pub netns_name: Option<String>,
}
