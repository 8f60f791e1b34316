//! What is reported: read-only globals, set before the programs are loaded.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Words of 64 bits in a set of error numbers: 0 to 191 covers every errno of Linux (up to 133).
pub const ERROR_WORDS: usize = 3;
/// Words of 64 bits in the map that holds the wanted ports, one bit a port.
pub const PORT_WORDS: u32 = 65_536 / 64;

record! {
/// What a refusal must be to be reported. Zero, or an empty set, means: any.
pub struct Filter = 96 {
    /// Errors that are refusals, one bit each.
    pub errors: [u64; ERROR_WORDS],
    /// Thread group id.
    pub pid: u32,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// 1 if the map `PORTS` says which ports are wanted.
    pub ports: u32,
    /// Protocols, bits of [`protocol`].
    pub protocols: u32,
    /// Name of the thread or the process, NUL-padded, as it lies in memory.
    pub comm: [u64; 2],
    /// The bits of `comm` that count: the name and its closing NUL; what follows in the kernel is left over.
    pub comm_mask: [u64; 2],
    /// Thread group id that is never reported: portbind itself.
    pub ignored_pid: u32,
    /// What of the life of ports is followed, bits of [`life`].
    pub life: u32,
    /// 1 if only processes in the map `DESCENDANTS` are reported.
    pub descendants: u32,
    /// How many refusals that are alike are reported in a window of time; the others are counted.
    pub burst: u32,
    /// Length of that window ([`WINDOW`](super::WINDOW)), in jiffies.
    pub window: u64,
}
}

impl Filter {
    /// Tells every EADDRINUSE, and the EAGAIN that an exhausted autobind makes of it.
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
    /// Binds, listens, ends of bound sockets, and who leaves a TIME_WAIT behind.
    pub const BOUND: u32 = 1 << 0;
    /// Ports that connect(2) picks.
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
    /// Sockets of AF_UNIX, whatever their type.
    pub const UNIX: u32 = 1 << 6;
    /// Sockets of AF_NETLINK, whatever their protocol.
    pub const NETLINK: u32 = 1 << 7;
    /// Sockets of AF_VSOCK, whatever their type.
    pub const VSOCK: u32 = 1 << 8;
    /// Any other.
    pub const OTHER: u32 = 1 << 31;
}
