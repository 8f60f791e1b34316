//! The record of a refusal without a port.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::header::Header;
use super::identity::Identity;
use super::socket::Socket;

/// Bytes of a sockaddr of any family (`_K_SS_MAXSIZE`, include/uapi/linux/socket.h).
pub const NAME_LEN: usize = 128;

record! {
/// What a process sees of the file system: another one with the same sees the same at every path.
#[derive(Hash)]
pub struct FileView = 32 {
    /// Inode number of its current folder.
    pub folder: u64,
    /// Inode number of its root.
    pub root: u64,
    /// Device of the current folder (`s_dev`, MKDEV in include/linux/kdev_t.h).
    pub folder_device: u32,
    /// Device of the root.
    pub root_device: u32,
    /// Inode number of its mount namespace.
    pub mounts: u32,
    /// Zero.
    pub reserved: u32,
}
}

record! {
/// A refusal of a socket whose name is no port, whole: only bind is traced of these families.
pub struct Portless = 280 {
    /// Kind [`PORTLESS`](super::kind::PORTLESS).
    pub header: Header,
    /// Who.
    pub identity: Identity,
    /// What the caller saw of the file system.
    pub view: FileView,
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
