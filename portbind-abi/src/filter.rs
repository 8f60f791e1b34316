//! Filters: which refusals and port events to report. They are read-only globals, set before the programs are loaded.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Words of 64 bits in a set of error numbers: 0 to 191 covers every errno of Linux (up to 133).
pub const ERROR_WORDS: usize = 3;
/// Words of 64 bits in the map of wanted ports, one bit per port.
pub const PORT_WORDS: u32 = 65_536 / 64;

record! {
/// Conditions for a refusal to be reported. Zero, or an empty set, means any.
pub struct Filter = 96 {
    /// Errors that count as refusals, one bit each.
    pub errors: [u64; ERROR_WORDS],
    /// Thread group id.
    pub pid: u32,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// 1 if the map `PORTS` holds the wanted ports.
    pub ports: u32,
    /// Wanted protocols, bits of [`protocol`].
    pub protocols: u32,
    /// Name of the thread or the process, NUL-padded, in memory order.
    pub comm: [u64; 2],
    /// The bits of `comm` that are compared: the name and its closing NUL. In the kernel, the bytes after the NUL are
    /// stale.
    pub comm_mask: [u64; 2],
    /// Thread group id that is never reported: portbind itself.
    pub ignored_pid: u32,
    /// Which port events to record, bits of [`life`].
    pub life: u32,
    /// 1 if only processes in the map `DESCENDANTS` are reported.
    pub descendants: u32,
    /// How many equal refusals are sent in one window; further ones are counted.
    pub burst: u32,
    /// Length of a window ([`WINDOW`](super::WINDOW)), in jiffies.
    pub window: u64,
}
}

impl Filter {
    /// Reports every EADDRINUSE, and the EAGAIN that an exhausted autobind returns in its place.
    pub const ANY: Self = Self {
        errors: [0, 1 << (98 - 64), 0],
        pid: 0,
        netns: 0,
        ports: 0,
        protocols: 0,
        comm: [0; 2],
        comm_mask: [0; 2],
        ignored_pid: 0,
        life: 0,
        descendants: 0,
        burst: 0,
        window: 0,
    };
}

/// Bits of [`Filter::life`].
pub mod life {
    /// Binds, listens, ends of bound sockets, and processes that leave a TIME_WAIT socket behind.
    pub const BOUND: u32 = 1 << 0;
    /// Connections, whose ports connect(2) picks.
    pub const CONNECTED: u32 = 1 << 1;
}

/// Bits of [`Filter::protocols`].
pub mod protocol {
    /// TCP.
    pub const TCP: u32 = 1 << 0;
    /// UDP.
    pub const UDP: u32 = 1 << 1;
    /// MPTCP.
    pub const MPTCP: u32 = 1 << 2;
    /// ICMP echo sockets.
    pub const PING: u32 = 1 << 3;
    /// UDP-Lite.
    pub const UDPLITE: u32 = 1 << 4;
    /// SCTP.
    pub const SCTP: u32 = 1 << 5;
    /// AF_UNIX sockets of any type.
    pub const UNIX: u32 = 1 << 6;
    /// AF_NETLINK sockets of any protocol.
    pub const NETLINK: u32 = 1 << 7;
    /// AF_VSOCK sockets of any type.
    pub const VSOCK: u32 = 1 << 8;
    /// Any other protocol.
    pub const OTHER: u32 = 1 << 31;
}
