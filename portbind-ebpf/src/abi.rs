//! The binary interface between the two halves: fixed-size records, the layout of the running
//! kernel, the filters, and the names of programs and maps.
//!
//! Records hold integers and arrays only, padding is spelled out, and sizes are asserted, because
//! two compilers have to agree on every byte. All integers are in the byte order of the machine;
//! ports are in host order; see [`Address`] for addresses.
//!
//! One refusal is one record of variable length: a [`Refusal`] (who asked for what, what the caller got, and what the
//! search for holders met), and right behind it its [`Holder`]s, as many as [`Refusal::holders`] says. A refusal with one
//! holder takes [`ONE_HOLDER_LEN`] bytes of the ring buffer.
//!
//! Between refusals come the records of the life of ports ([`Bound`], [`Change`]), in the order in which
//! things happened. Before a [`Refusal`], a [`Named`] or a [`Bound`] of a process comes its [`Introduction`], unless
//! there was one a moment ago ([`WINDOW`]). A refusal of a socket whose name is no port (AF_UNIX, netlink, vsock, ...)
//! is one record: a [`Named`].

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a task's name, with the closing NUL (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_LEN: usize = 16;
/// Bytes of a caller's argument vector that are copied at the refusal.
pub const ARGS_LEN: usize = 512;
/// How many names of the path of the caller's executable are copied.
pub const EXE_NAMES: usize = 12;
/// Bytes of one of these names, with the closing NUL; longer ones are cut.
pub const EXE_NAME_LEN: usize = 64;
/// How many ancestors of the caller are copied.
pub const MAX_PARENTS: usize = 8;
/// How many holders of one refusal are copied; more are counted and flagged.
pub const MAX_HOLDERS: u32 = 32;
/// Size of the ring buffer in bytes, unless the loader sets another.
pub const RING_BYTES: u32 = 2 << 20;
/// Bytes of a sockaddr of any family (`_K_SS_MAXSIZE`, include/uapi/linux/socket.h).
pub const NAME_LEN: usize = 128;
/// Bytes of the ring buffer that the kernel puts before each record (`BPF_RINGBUF_HDR_SZ`, include/uapi/linux/bpf.h).
pub const RING_HEADER_LEN: usize = 8;
/// Bytes of the ring buffer that a refusal with one holder takes.
pub const ONE_HOLDER_LEN: usize = RING_HEADER_LEN + size_of::<Refusal>() + size_of::<Holder>();
const _: () = assert!(RING_BYTES as usize / ONE_HOLDER_LEN >= 8000);
/// Words of 64 bits in a set of error numbers: 0 to 191 covers every errno of Linux (up to 133).
pub const ERROR_WORDS: usize = 3;
/// Words of 64 bits in the map that holds the wanted ports, one bit a port.
pub const PORT_WORDS: u32 = 65_536 / 64;

/// An internet address: 16 bytes in network order, as four words of memory; IPv4 as `::ffff:a.b.c.d`.
pub type Address = [u32; 4];

macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident = $size:literal { $($body:tt)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, Immutable, KnownLayout))]
        pub struct $name { $($body)* }
        const _: () = assert!(size_of::<$name>() == $size && $size % 8 == 0);
    };
}

mod alike;
mod family;
mod filter;
mod history;
mod named;
mod open_socket;
mod party;

pub use alike::{Alike, MAX_ALIKE, MAX_SHARES, Often, Sample, Share, WINDOW};
pub use family::Ended;
pub use filter::{Filter, life, protocol};
pub use history::{Bound, Change, Introduction, MAX_INTRODUCED, change};
pub use named::{FileView, Named};
pub use open_socket::{Inodes, OpenSocket};
pub use party::{CROWD, MAX_KINDS, MAX_PARTIES, PARTY_LEVEL, Party, PartyShare, SOCKETS};

/// What a record is: the first word of each.
pub mod kind {
    /// A [`Refusal`](super::Refusal).
    pub const REFUSAL: u32 = 1;
    /// A [`Bound`](super::Bound).
    pub const BOUND: u32 = 2;
    /// A [`Change`](super::Change).
    pub const CHANGE: u32 = 3;
    /// [`Ended`](super::Ended).
    pub const ENDED: u32 = 4;
    /// An [`Introduction`](super::Introduction).
    pub const INTRODUCTION: u32 = 5;
    /// A [`Named`](super::Named).
    pub const NAMED: u32 = 6;
}

/// Which call was refused: the values of `operation`.
pub mod operation {
    /// bind(2), also through io_uring.
    pub const BIND: u32 = 1;
    /// listen(2), also through io_uring.
    pub const LISTEN: u32 = 2;
    /// The implicit bind of connect(2) or a send on an unbound datagram socket.
    pub const AUTOBIND: u32 = 3;
}

/// Bits of [`Socket::options`] and [`Holder::options`].
pub mod option {
    /// SO_REUSEADDR is set.
    pub const REUSE_ADDRESS: u8 = 1 << 0;
    /// SO_REUSEPORT is set.
    pub const REUSE_PORT: u8 = 1 << 1;
    /// IPV6_V6ONLY is set, or the socket is bound to an IPv6 address that implies it.
    pub const V6_ONLY: u8 = 1 << 2;
    /// TCP_REPAIR forces every bind through (`SK_FORCE_REUSE`, include/net/sock.h).
    pub const FORCE_REUSE: u8 = 1 << 3;
    /// A reuseport group program or group exists (`sk_reuseport_cb`).
    pub const REUSE_PORT_GROUP: u8 = 1 << 4;
}

/// Bits of [`Holder::flags`].
pub mod holder {
    /// No process has it open any more: the kernel is finishing the connection.
    pub const ORPHAN: u8 = 1 << 1;
    /// A connection that no process has accepted yet.
    pub const NOT_ACCEPTED: u8 = 1 << 2;
    /// Opened by the kernel for itself.
    pub const KERNEL: u8 = 1 << 3;
}

/// Bits of [`Refusal::flags`].
pub mod walk {
    /// The cap on steps or holders was reached: there are more.
    pub const TRUNCATED: u32 = 1 << 0;
    /// This protocol's sockets cannot be walked.
    pub const NOT_WALKED: u32 = 1 << 1;
    /// Every socket on the port got it by connect(2): nobody bound it (`fastreuse` and `fastreuseport` of
    /// the bind bucket are -1, __inet_hash_connect in net/ipv4/inet_hashtables.c).
    pub const CONNECTED_ONLY: u32 = 1 << 2;
}

record! {
/// Opens every record.
pub struct Header = 24 {
    /// One of [`kind`].
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// Thread group id (upper half) and thread id (lower half), in the initial pid namespace.
    pub task: u64,
    /// Nanoseconds since boot, suspended time included (`bpf_ktime_get_boot_ns`).
    pub time: u64,
}
}

record! {
/// Which process, and who it is at the moment: what can change between two calls.
///
/// `cgroup` and `owner` together are the [`Party`] of the process.
pub struct Identity = 48 {
    /// Nanoseconds since boot at which the process started (`task_struct.start_boottime`).
    pub start_time: u64,
    /// [`Party::cgroup`].
    pub cgroup: u64,
    /// How often the process, or one that it comes from, called execve (lower half of `task_struct.self_exec_id`).
    pub exec_id: u32,
    /// Real user id, in the initial user namespace (`bpf_get_current_uid_gid`).
    pub uid: u32,
    /// Group id, in the initial user namespace.
    pub gid: u32,
    /// [`Party::owner`].
    pub owner: u32,
    /// Name of the thread, NUL-padded.
    pub comm: [u8; COMM_LEN],
}
}

record! {
/// One process above the caller.
pub struct Parent = 32 {
    /// Thread group id, in the initial pid namespace.
    pub pid: u32,
    /// Zero.
    pub reserved: u32,
    /// Nanoseconds since boot at which it started (`task_struct.start_boottime`).
    pub start_time: u64,
    /// Name, NUL-padded.
    pub comm: [u8; COMM_LEN],
}
}

record! {
/// What takes long to find out of the process inside a call.
pub struct Caller = 1560 {
    /// Id of its cgroup in the unified hierarchy (`bpf_get_current_cgroup_id`).
    pub cgroup_id: u64,
    /// Entries of `parents` that are filled, nearest first.
    pub parent_count: u32,
    /// Bytes of `args` that are filled.
    pub args_len: u32,
    /// Bytes of the whole argument vector.
    pub args_total: u32,
    /// Entries of `exe` that are filled.
    pub exe_count: u16,
    /// 1 if `exe` reaches up to the root of the mount tree.
    pub exe_whole: u16,
    /// The processes above it.
    pub parents: [Parent; MAX_PARENTS],
    /// Arguments, each closed by a NUL, cut at [`ARGS_LEN`].
    pub args: [u8; ARGS_LEN],
    /// Names on the path of the executable, the last one first, each closed by a NUL.
    pub exe: [[u8; EXE_NAME_LEN]; EXE_NAMES],
}
}

record! {
/// A socket on its port. TIME_WAIT (state 6) and request (state 12) sockets have no inode and protocol: these
/// fields hold other data then.
pub struct Endpoint = 64 {
    /// Address of the kernel's object: an identity while the socket lives, nothing more.
    pub id: u64,
    /// Inode number in sockfs, 0 if the socket has none.
    pub inode: u64,
    /// Local address.
    pub address: Address,
    /// Remote address.
    pub peer: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Local port.
    pub port: u16,
    /// Remote port.
    pub peer_port: u16,
    /// TCP state (include/net/tcp_states.h); UDP: 7 unconnected, 1 connected.
    pub state: u32,
}
}

record! {
/// The refused socket, and what was asked for.
pub struct Socket = 40 {
    /// The address that was asked for.
    pub address: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Index of the network interface it is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// Owner (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6; of a [`Named`], any other AF_*.
    pub family: u16,
    /// IPPROTO_*; NETLINK_* of AF_NETLINK.
    pub protocol: u16,
    /// The port that was asked for.
    pub port: u16,
    /// SOCK_*.
    pub socket_type: u16,
    /// TCP state (include/net/tcp_states.h).
    pub state: u8,
    /// Bits of [`option`].
    pub options: u8,
    /// The port that it has already, 0 if none (`skc_num`): a socket is bound once.
    pub own_port: u16,
}
}

record! {
/// A refusal. [`Refusal::holders`] records [`Holder`] follow it, in the same record of the ring buffer.
pub struct Refusal = 136 {
    /// Kind [`kind::REFUSAL`].
    pub header: Header,
    /// Who.
    pub identity: Identity,
    /// What.
    pub socket: Socket,
    /// What the caller got: a positive errno.
    pub error: u32,
    /// One of [`operation`].
    pub operation: u32,
    /// Holders that follow, at most [`MAX_HOLDERS`].
    pub holders: u32,
    /// Sockets on the port whose addresses cannot overlap with the asked one: not sent.
    pub bystanders: u32,
    /// Bits of [`walk`]: how the search for holders went.
    pub flags: u32,
    /// VRF master of the bind bucket of the holders, 0 if none (`inet_bind_bucket.l3mdev`).
    pub vrf: u32,
}
}

impl Refusal {
    /// Bytes of its record, the holders included.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<Self>() + self.holders as usize * size_of::<Holder>()
    }
}

record! {
/// One socket on the port at the instant of the refusal; network namespace and port are the asked ones. TIME_WAIT (state
/// 6) and request (state 12) sockets have no inode, protocol and owner: these fields hold other data then.
pub struct Holder = 88 {
    /// Address of the kernel's object: an identity while the socket lives, nothing more.
    pub id: u64,
    /// Inode number in sockfs, 0 if the socket has none.
    pub inode: u64,
    /// Local address.
    pub address: Address,
    /// Remote address.
    pub peer: Address,
    /// TIME_WAIT: jiffies left until it ends; of other states, nothing.
    pub jiffies_left: i64,
    /// Connections waiting to be accepted (listeners); of other states, nothing.
    pub backlog: u32,
    /// Most connections that may wait (listeners); of other states, nothing.
    pub max_backlog: u32,
    /// Index of the network interface it is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// Owner (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Remote port.
    pub peer_port: u16,
    /// TCP state (include/net/tcp_states.h); UDP: 7 unconnected, 1 connected.
    pub state: u8,
    /// TIME_WAIT sockets: 5 while it is a FIN_WAIT2 of an orphan, else 6 (`tw_substate`).
    pub time_wait_state: u8,
    /// Bits of [`option`].
    pub options: u8,
    /// Bits of [`holder`].
    pub flags: u8,
    /// One more than a descriptor that the caller itself had of it; 0 if that is none of the caller's first
    /// [`OWN_DESCRIPTORS`], or if this is none of the first [`OWN_SOCKETS`] holders, and before Linux 5.17.
    pub own_descriptor: u16,
    /// Zero.
    pub reserved: u32,
}
}

/// Descriptors of a caller that are compared with a holder: as many as every table has room for (`NR_OPEN_DEFAULT`,
/// include/linux/fdtable.h).
pub const OWN_DESCRIPTORS: u32 = 64;
/// Holders that are compared with the caller's descriptors.
pub const OWN_SOCKETS: u32 = 4;

/// Per-CPU counters: indexes into the map `COUNTERS`.
pub mod counter {
    /// Refusals with a wanted error.
    pub const REFUSED: u32 = 0;
    /// Of these, kept back by a filter.
    pub const FILTERED: u32 = 1;
    /// Of these, lost: there was no room for them, neither in the ring buffer nor in the map of counts.
    pub const LOST: u32 = 2;
    /// Entries that found the map of calls in flight full (kprobe backend): their return is lost.
    pub const LOST_ENTRIES: u32 = 3;
    /// Records of the life of ports for which there was no room in the ring buffer.
    pub const LOST_LIFE: u32 = 4;
    /// Descendants of the wrapped command that found the map of them full.
    pub const LOST_FAMILY: u32 = 5;
    /// Refusals that were counted with others like them.
    pub const COALESCED: u32 = 6;
    /// How many there are.
    pub const COUNT: u32 = 7;
}
