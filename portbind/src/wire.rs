//! The JSON line: what scripts may rely on.
//!
//! These types are apart from the ones in [`crate::event`], so that those can change
//! without changing the output. They are written and read: a recording comes back as it was told.
//! Fields may be added; none is renamed, removed or given another meaning within a version of
//! [`SCHEMA`]. A fact that is not known is `null`.

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod command;
mod convert;
mod mask;
mod people;
mod run;
#[cfg(test)]
mod tests;
mod time;

pub use command::{Command, End, Leak, Outcome};
pub(crate) use convert::protocol;
pub use mask::Line;
pub(crate) use mask::of_holder;
pub use people::{CiJob, Container, Pod, Test};
pub use run::{Cache, LostBy, Release, Repeat, Summary};
pub use time::Time;

/// Name and version of the format, in every line.
pub const SCHEMA: &str = "portbind.event/1";

/// A line of kind `refusal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal<'a> {
    /// [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// `refusal`.
    pub kind: Cow<'a, str>,
    /// When the kernel said no: RFC 3339, UTC, nine digits of a second.
    pub time: Time,
    /// `bind`, `listen`, `autobind` or `unknown`.
    pub operation: Cow<'a, str>,
    /// What the caller got.
    pub error: Error<'a>,
    /// The caller.
    pub process: Process<'a>,
    /// The socket, with the address and port that were asked for.
    pub socket: Socket<'a>,
    /// Sockets on the port, those that conflict first.
    pub holders: Vec<Holder<'a>>,
    /// There were more holders.
    pub holders_truncated: bool,
    /// Sockets on the port whose addresses cannot overlap; not among the holders.
    pub bystanders: u32,
    /// Why the kernel refused.
    pub cause: Cause<'a>,
    /// What the diagnosis rests on: `kernel`, `history` or `afterwards`.
    pub confidence: Cow<'a, str>,
    /// What makes the call work, safest first.
    pub fixes: Vec<Fix<'a>>,
    /// What happened on the port before, oldest first.
    pub history: Vec<Moment<'a>>,
    /// Which backend saw it.
    pub backend: Cow<'a, str>,
    /// Refusals lost before this one, since the start.
    pub lost: u64,
}

/// An error number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Error<'a> {
    /// Symbolic name.
    pub name: Option<Cow<'a, str>>,
    /// Positive number.
    pub number: u32,
}

/// The process that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Name of the thread.
    pub comm: Cow<'a, str>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<Cow<'a, str>>,
    /// When it started, as [`Refusal::time`].
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// Its container.
    pub container: Option<Container<'a>>,
    /// Its systemd unit: of a user's own service manager where `cgroup` is below `user@UID.service`, else of the
    /// system.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}

/// A process by number and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relative<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
}

/// The socket of the refused call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
pub struct Netlink {
    /// Port id; 0 is any.
    pub port_id: u32,
    /// Multicast groups, a bit each.
    pub groups: u32,
}

/// The name of a vsock socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vsock {
    /// Context id; 4294967295 is any.
    pub cid: u32,
    /// Port; 4294967295 is any.
    pub port: u32,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interface<'a> {
    /// Index in its network namespace.
    pub index: u32,
    /// Name.
    pub name: Option<Cow<'a, str>>,
}

/// Options that decide conflicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// When it got the port, as [`Refusal::time`]; null if that was before tracing began.
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

/// A process that may have ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opener<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// When it started, as [`Refusal::time`].
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}

/// Something that happened on the port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment<'a> {
    /// When, as [`Refusal::time`]; null if that was before tracing began.
    pub time: Option<Time>,
    /// `bound`, `listening`, `leaving` (closed a connection before its peer), `closed`, `connected`.
    pub what: Cow<'a, str>,
    /// The kernel chose the port.
    pub any: bool,
    /// Local address.
    pub address: IpAddr,
    /// The other end of a connection.
    pub peer: Option<Peer>,
    /// Inode number of the socket in sockfs.
    pub inode: Option<u64>,
    /// Who did it; null where it was nobody's doing.
    pub process: Option<Opener<'a>>,
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// Remote address.
    pub address: IpAddr,
    /// Remote port.
    pub port: u16,
}

/// How full the queue of a listener is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backlog {
    /// Connections that wait.
    pub waiting: u32,
    /// Connections that may wait.
    pub max: u32,
}

/// A process that has a holder open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HolderProcess<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: Cow<'a, str>,
    /// The first of `fds`.
    pub fd: Option<u32>,
    /// Its descriptors of the socket, ascending.
    pub fds: Cow<'a, [u32]>,
    /// Path of the executable.
    pub exe: Option<Cow<'a, str>>,
    /// Arguments; empty if unknown.
    pub args: Cow<'a, [String]>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// A secret in `args` was replaced by `***`; left out where none was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub args_masked: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Name of the user.
    pub user: Option<Cow<'a, str>>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<Cow<'a, str>>,
    /// When it started, as [`Refusal::time`].
    pub started: Option<Time>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Relative<'a>>,
    /// Its container.
    pub container: Option<Container<'a>>,
    /// Its systemd unit; of systemd itself, the socket unit it has the holder open for.
    pub unit: Option<Cow<'a, str>>,
    /// The test or job it works for.
    pub test: Option<Test<'a>>,
}

/// Why the kernel refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause<'a> {
    /// Stable code.
    pub code: Cow<'a, str>,
    /// One sentence.
    pub summary: Cow<'a, str>,
}

/// A change that makes the call work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fix<'a> {
    /// Stable code.
    pub code: Cow<'a, str>,
    /// What to do.
    pub text: Cow<'a, str>,
    /// The command that does it.
    pub command: Option<Cow<'a, str>>,
}
