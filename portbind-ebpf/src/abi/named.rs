//! The record of a refusal without a port.

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Header, Identity, NAME_LEN, Socket};

record! {
/// A refusal of a socket whose name is no port, whole: only bind is traced of these families.
pub struct Named = 248 {
    /// Kind [`NAMED`](super::kind::NAMED).
    pub header: Header,
    /// Who.
    pub identity: Identity,
    /// The socket. Address, port, options and interface are those of internet sockets: zero.
    pub socket: Socket,
    /// Positive errno.
    pub error: u32,
    /// Bytes of `name` that are filled.
    pub name_len: u32,
    /// What: the sockaddr that was asked for, raw. What follows the filled bytes is left over.
    pub name: [u8; NAME_LEN],
}
}
