//! The record of a refused bind of a portless socket.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::header::Header;
use super::identity::Identity;
use super::socket::Socket;

/// Bytes of a sockaddr of any family (`_K_SS_MAXSIZE`, include/uapi/linux/socket.h).
pub const NAME_LEN: usize = 128;

record! {
/// A process's view of the file system: processes with equal views see the same file at every path.
#[derive(Hash)]
pub struct FileView = 32 {
    /// Inode number of the process's current directory.
    pub folder: u64,
    /// Inode number of the process's root directory.
    pub root: u64,
    /// Device of the current directory (`s_dev`, MKDEV in include/linux/kdev_t.h).
    pub folder_device: u32,
    /// Device of the root directory.
    pub root_device: u32,
    /// Inode number of the process's mount namespace.
    pub mounts: u32,
    /// Zero.
    pub reserved: u32,
}
}

record! {
/// A complete refusal of a portless socket. Of these families, only bind is traced.
pub struct Portless = 280 {
    /// Kind [`PORTLESS`](super::kind::PORTLESS).
    pub header: Header,
    /// The caller.
    pub identity: Identity,
    /// The caller's view of the file system.
    pub view: FileView,
    /// The socket. Address, port, options and interface exist only for internet sockets: here they are zero.
    pub socket: Socket,
    /// Positive errno.
    pub error: u32,
    /// Bytes of `name` that are filled.
    pub name_len: u32,
    /// The requested sockaddr, raw. Bytes beyond `name_len` are stale.
    pub name: [u8; NAME_LEN],
}
}
