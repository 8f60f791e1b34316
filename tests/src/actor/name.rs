//! Names of portless sockets, and objects at paths.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Above the numbers of all processes (PID_MAX_LIMIT, include/linux/threads.h).
const NETLINK_BASE: u32 = 1 << 23;

/// Family and type of a portless socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `AF_UNIX`, `SOCK_STREAM`.
    UnixStream,
    /// `AF_UNIX`, `SOCK_DGRAM`.
    UnixDgram,
    /// `AF_UNIX`, `SOCK_SEQPACKET`.
    UnixSeqpacket,
    /// `AF_NETLINK`, `NETLINK_ROUTE`.
    NetlinkRoute,
    /// `AF_VSOCK`, `SOCK_STREAM`.
    VsockStream,
    /// `AF_PACKET`, `SOCK_RAW`.
    Packet,
}

/// The name of a portless socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketName {
    /// An absolute path into the folder of this play.
    Path(String),
    /// A relative path, with the folder of this play as the actor's current folder.
    Relative(String),
    /// An unchanged path.
    Absolute(String),
    /// An abstract name, which the folder makes unique to this play.
    Abstract(String),
    /// A netlink port id, added to a number above all pids.
    Netlink(u32),
    /// A vsock port for any CID.
    Vsock(u32),
    /// An interface by its index.
    Packet(i32),
}

/// An object at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// An empty file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link to nothing.
    DanglingLink,
    /// A symbolic link to the folder of this play.
    Link,
}

impl SocketName {
    /// A `struct sockaddr_un`, `sockaddr_nl`, `sockaddr_vm` or `sockaddr_ll`.
    pub(super) fn sockaddr(&self, folder: &Path) -> Vec<u8> {
        let unix = |path: &[u8]| [&1_u16.to_ne_bytes(), path].concat();
        let words = |family: u16, rest: [u32; 3]| -> Vec<u8> {
            let rest = rest.iter().flat_map(|word| word.to_ne_bytes());
            u32::from(family).to_ne_bytes().into_iter().chain(rest).collect()
        };
        match self {
            Self::Path(path) => unix(folder.join(path).as_os_str().as_encoded_bytes()),
            Self::Relative(path) | Self::Absolute(path) => unix(path.as_bytes()),
            Self::Abstract(_) => unix(self.as_shown(folder).replacen('@', "\0", 1).as_bytes()),
            // Port id, groups, and four extra bytes, which the kernel ignores.
            Self::Netlink(port_id) => words(16, [NETLINK_BASE + port_id, 0, 0]),
            Self::Vsock(port) => words(40, [*port, u32::MAX, 0]),
            // struct sockaddr_ll (include/uapi/linux/if_packet.h): 20 bytes, the index after the protocol.
            Self::Packet(index) => [words(17, [index.cast_unsigned(), 0, 0]), vec![0; 4]].concat(),
        }
    }

    /// The name as portbind shows it, in the format of [`crate::event::Socket::asked`].
    #[must_use]
    pub fn as_shown(&self, folder: &Path) -> String {
        match self {
            Self::Path(path) => folder.join(path).display().to_string(),
            Self::Relative(path) | Self::Absolute(path) => path.clone(),
            Self::Abstract(name) => format!("@{}/{name}", folder.display()),
            Self::Netlink(port_id) => format!("netlink {}", NETLINK_BASE + port_id),
            Self::Vsock(port) => format!("vsock {port}"),
            Self::Packet(index) => format!("interface {index}"),
        }
    }
}
