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
    /// `tcp`, `udp`, `mptcp`, `ping`, `udplite`, `sctp`; of `unix` and `vsock` the type of the socket; of
    /// `netlink` the name of its protocol; or a protocol number in digits.
    pub protocol: Cow<'a, str>,
    /// Address asked for, IPv6 without brackets; of `inet` and `inet6`.
    pub address: Option<IpAddr>,
    /// Port asked for; 0 is any; of `inet` and `inet6`.
    pub port: Option<u16>,
    /// Path or abstract name asked for; of `unix`.
    pub path: Option<Cow<'a, str>>,
    /// Name asked for; of `netlink`.
    pub netlink: Option<Netlink>,
    /// Name asked for; of `vsock`.
    pub vsock: Option<Vsock>,
    /// No name was asked for, and the kernel chooses one; of `unix`, left out where a name was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnamed: bool,
    /// The sockaddr behind its family in hexadecimal digits; left out but where the family is any other, or the sockaddr too
    /// short for its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Cow<'a, str>>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of that namespace, or of the caller's container.
    pub netns_name: Option<Cow<'a, str>>,
    /// Interface it is bound to.
    pub interface: Option<Interface<'a>>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Owner.
    pub uid: u32,
}

/// The name of a netlink socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Netlink {
    /// Port id; 0 is any.
    pub port_id: u32,
    /// Multicast groups, a bit each.
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
    /// It stands in the way of the refused socket.
    pub conflicts: bool,
    /// As [`Socket::protocol`].
    pub protocol: Cow<'a, str>,
    /// As [`Socket::family`].
    pub family: Cow<'a, str>,
    /// Local address, as [`Socket::address`].
    pub address: Option<IpAddr>,
    /// Local port, as [`Socket::port`].
    pub port: Option<u16>,
    /// The path or abstract name it was given, as [`Socket::path`].
    pub path: Option<Cow<'a, str>>,
    /// Its name, as [`Socket::netlink`]; left out of any other family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netlink: Option<Netlink>,
    /// The other end of a connection.
    pub peer: Option<Peer>,
    /// Interface it is bound to.
    pub interface: Option<Interface<'a>>,
    /// Inode number in sockfs.
    pub inode: Option<u64>,
    /// Owner.
    pub uid: Option<u32>,
    /// Name of the owner.
    pub user: Option<Cow<'a, str>>,
    /// Options that decide conflicts.
    pub options: Option<Options>,
    /// `process`, `time_wait`, `orphan`, `not_accepted` or `kernel`: who can have it open.
    pub ownership: Cow<'a, str>,
    /// Connections that wait to be accepted (listeners).
    pub backlog: Option<Backlog>,
    /// When it got the port, as [`Refusal::time`](super::refusal::Refusal::time); null if that was before tracing began.
    pub since: Option<Time>,
    /// Milliseconds until a TIME_WAIT socket is gone.
    pub time_wait_left_ms: Option<u64>,
    /// Who gave it the port, also when that process has ended.
    pub opened_by: Option<Opener<'a>>,
    /// Who closed the connection first (TIME_WAIT, orphans), also when that process has ended.
    pub left_by: Option<Opener<'a>>,
    /// The processes that have it open: all, or of many the ones that matter most.
    pub processes: Vec<HolderProcess<'a>>,
    /// How many more have it open.
    #[serde(default)]
    pub more_processes: u64,
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Peer {
    /// Remote address.
    pub address: IpAddr,
    /// Remote port.
    pub port: u16,
}

/// How full the queue of a listener is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Backlog {
    /// Connections that wait.
    pub waiting: u32,
    /// Connections that may wait.
    pub max: u32,
}
