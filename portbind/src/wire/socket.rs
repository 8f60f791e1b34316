//! Sockets, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

use super::process::{HolderProcess, Opener};
use super::time::Time;

/// The socket of the refused call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Socket<'a> {
    /// `inet`, `inet6`, `unix`, `netlink`, `vsock`, or a family number in digits.
    pub family: Cow<'a, str>,
    /// `tcp`, `udp`, `mptcp`, `ping`, `udplite`, `sctp`; for `unix` and `vsock` the type of the socket; for `netlink`
    /// the name of its protocol; or a protocol number in digits.
    pub protocol: Cow<'a, str>,
    /// The requested address, IPv6 without brackets; for `inet` and `inet6`.
    pub address: Option<IpAddr>,
    /// The requested port; 0 requests any free port; for `inet` and `inet6`.
    pub port: Option<u16>,
    /// The requested path or abstract name; for `unix`.
    pub path: Option<Cow<'a, str>>,
    /// The requested name; for `netlink`.
    pub netlink: Option<Netlink>,
    /// The requested name; for `vsock`.
    pub vsock: Option<Vsock>,
    /// The call requested no name, and the kernel chooses one; for `unix`, omitted if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnamed: bool,
    /// The bytes of the sockaddr after its family, as hexadecimal digits; present only for other families, or if the
    /// sockaddr is too short for its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Cow<'a, str>>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of the network namespace, or of the caller's container.
    pub netns_name: Option<Cow<'a, str>>,
    /// Interface that the socket is bound to.
    pub interface: Option<Interface<'a>>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Uid of the socket.
    pub uid: u32,
}

/// The name of a netlink socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Netlink {
    /// Port id; 0 requests any.
    pub port_id: u32,
    /// Multicast groups, one bit each.
    pub groups: u32,
}

/// The name of a vsock socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Vsock {
    /// Context id; 4294967295 is any.
    pub cid: u32,
    /// Port; 4294967295 is any.
    pub port: u32,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Interface<'a> {
    /// Index in its network namespace.
    pub index: u32,
    /// Name.
    pub name: Option<Cow<'a, str>>,
}

/// Options that decide conflicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Options {
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// IPV6_V6ONLY, also when implied.
    pub v6_only: bool,
}

/// A socket on the port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Holder<'a> {
    /// `listen`, `bound`, `established`, `time_wait`, ...
    pub state: Cow<'a, str>,
    /// The socket is in the way of the refused socket.
    pub conflicts: bool,
    /// As [`Socket::protocol`].
    pub protocol: Cow<'a, str>,
    /// As [`Socket::family`].
    pub family: Cow<'a, str>,
    /// Local address, as [`Socket::address`].
    pub address: Option<IpAddr>,
    /// Local port, as [`Socket::port`].
    pub port: Option<u16>,
    /// The socket's path or abstract name, as [`Socket::path`].
    pub path: Option<Cow<'a, str>>,
    /// The socket's name, as [`Socket::netlink`]; omitted for other families.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netlink: Option<Netlink>,
    /// The peer of a connection.
    pub peer: Option<Peer>,
    /// Interface that the socket is bound to.
    pub interface: Option<Interface<'a>>,
    /// Inode number in sockfs.
    pub inode: Option<u64>,
    /// Uid of the socket.
    pub uid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Options that decide conflicts.
    pub options: Option<Options>,
    /// `process`, `time_wait`, `orphan`, `not_accepted` or `kernel`: the kind of owner that the socket can have.
    pub ownership: Cow<'a, str>,
    /// Connections that wait to be accepted (for listeners).
    pub backlog: Option<Backlog>,
    /// When the socket got the port, as [`Refusal::time`](super::refusal::Refusal::time); null if that was before
    /// tracing began.
    pub since: Option<Time>,
    /// Milliseconds until TIME_WAIT ends.
    pub time_wait_left_ms: Option<u64>,
    /// The process that bound the socket, even if it has ended.
    pub opened_by: Option<Opener<'a>>,
    /// The process that closed the connection first (TIME_WAIT, orphans), even if it has ended.
    pub left_by: Option<Opener<'a>>,
    /// The owners of the socket; if there are many, the most relevant ones.
    pub processes: Vec<HolderProcess<'a>>,
    /// The number of further owners.
    #[serde(default)]
    pub more_processes: u64,
}

/// The peer of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Peer {
    /// Remote address.
    pub address: IpAddr,
    /// Remote port.
    pub port: u16,
}

/// The backlog of a listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Backlog {
    /// The number of waiting connections.
    pub waiting: u32,
    /// The most connections that may wait.
    pub max: u32,
}
