//! What an actor can be told to do, and what it answers.
//!
//! This is how actions go over the pipe; `scenario::verb` reads them from the steps of a scenario.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::name::{Kind, Object, SocketName};

/// One thing to do. `socket` is the label of a socket, `new` the label of one that appears.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Opens a socket; where a port is given it is bound, and where asked listens.
    Socket {
        /// Its label.
        new: String,
        /// Address family.
        family: Family,
        /// Transport protocol.
        protocol: Protocol,
        /// Options to set first.
        #[serde(default)]
        options: Vec<SocketOption>,
        /// Address to bind to; the family's wildcard if absent.
        address: Option<IpAddr>,
        /// Port to bind to.
        port: Option<u16>,
        /// Listens after the bind.
        #[serde(default)]
        listen: bool,
    },
    /// Sets an option.
    Option {
        /// The socket.
        socket: String,
        /// The option.
        option: SocketOption,
    },
    /// bind(2).
    Bind {
        /// The socket.
        socket: String,
        /// Address.
        address: IpAddr,
        /// Port.
        port: u16,
        /// Number of the interface that an IPv6 address counts on.
        #[serde(default)]
        scope: u32,
        /// How the call is made.
        #[serde(default)]
        by: Way,
    },
    /// Opens a socket that has no port.
    Open {
        /// Its label.
        new: String,
        /// Its family and type.
        kind: Kind,
    },
    /// bind(2) of a socket that has no port.
    BindName {
        /// The socket.
        socket: String,
        /// What to bind it to.
        name: SocketName,
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
        /// How the call is made.
        #[serde(default)]
        by: Way,
    },
    /// Puts something at a path in the folder of this play.
    Make {
        /// What.
        object: Object,
        /// Where.
        path: String,
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
    },
    /// Makes the folder of this play the root of the actor.
    Chroot {
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
    },
    /// listen(2).
    Listen {
        /// The socket.
        socket: String,
        /// How the call is made.
        #[serde(default)]
        by: Way,
    },
    /// connect(2), blocking.
    Connect {
        /// The socket.
        socket: String,
        /// Peer address.
        address: IpAddr,
        /// Peer port.
        port: u16,
    },
    /// Takes back a connect: connect(2) with `AF_UNSPEC`.
    Disconnect {
        /// The socket.
        socket: String,
    },
    /// accept(2), blocking.
    Accept {
        /// The listener.
        socket: String,
        /// Label of the connection.
        new: String,
    },
    /// Sends one byte as a datagram.
    Datagram {
        /// The socket.
        socket: String,
        /// Peer address.
        address: IpAddr,
        /// Peer port.
        port: u16,
    },
    /// Closes every descriptor under the label.
    Close {
        /// The label.
        socket: String,
    },
    /// shutdown(2) in both directions.
    Shutdown {
        /// The socket.
        socket: String,
    },
    /// Reads until the peer closes.
    Drain {
        /// The socket.
        socket: String,
    },
    /// dup(2).
    Dup {
        /// The socket.
        socket: String,
        /// Label of the copy.
        new: String,
    },
    /// Starts a child that inherits the socket, and sleeps.
    Inherit {
        /// The socket.
        socket: String,
        /// Name of the child in the scenario.
        child: String,
        /// The descriptor has close-on-exec after all: the child is started without it.
        #[serde(default)]
        close_on_exec: bool,
    },
    /// Opens the mailbox for descriptors; answers with its name.
    Mailbox,
    /// Sends the socket to another actor's mailbox.
    Give {
        /// The socket.
        socket: String,
        /// Name of the other actor.
        to: String,
        /// Its mailbox; filled in by the runner.
        #[serde(default)]
        mailbox: String,
    },
    /// Takes a socket from the mailbox.
    Take {
        /// Label of the copy.
        new: String,
    },
    /// Enters a new network namespace with its loopback up.
    NewNetns,
    /// Enters the network namespace of another actor.
    JoinNetns {
        /// Name of the other actor.
        of: String,
        /// Its pid; filled in by the runner.
        #[serde(default)]
        pid: u32,
    },
    /// Writes a setting under /proc/sys/net of the current network namespace.
    Sysctl {
        /// Path below /proc/sys/net.
        name: String,
        /// What to write.
        value: String,
    },
    /// setresuid(2), all three.
    Setuid {
        /// The user.
        uid: u32,
    },
    /// Sets the name of the process.
    Rename {
        /// The name; the kernel cuts it to 15 bytes.
        name: String,
    },
    /// Ends no more for SIGTERM.
    IgnoreTerm,
    /// Keeps copies of all sockets in a thread that stops sharing descriptors with its process.
    KeepApart,
    /// Opens as many connections to the listener as told, both ends here, and keeps them.
    Crowd {
        /// The listener.
        socket: String,
        /// How many.
        count: u32,
    },
    /// Opens a socket and binds it to a taken port, again and again.
    Storm {
        /// Address family.
        family: Family,
        /// Transport protocol.
        protocol: Protocol,
        /// Address.
        address: IpAddr,
        /// Port.
        port: u16,
        /// How often.
        count: u32,
    },
    /// Starts helpers, one after the other: each takes a port, has it refused to this actor, and ends at once.
    Transients {
        /// How many.
        count: u32,
    },
    /// Binds and closes sockets, one after the other, on ports that the kernel chooses.
    Churn {
        /// How many.
        count: u32,
    },
    /// Has the kernel itself listen: an MPTCP endpoint with a port, in the current network namespace.
    KernelListen {
        /// Address.
        address: Ipv4Addr,
        /// Port.
        port: u16,
    },
    /// Makes an interface with an IPv6 address whose duplicate address detection takes very long.
    Interface {
        /// Its name.
        name: String,
        /// Its address.
        address: Ipv6Addr,
    },
    /// Done by the runner: puts the actor into a cgroup whose program refuses every bind of IPv4.
    Forbid {
        /// The error it gives; EPERM if absent.
        error: Option<u16>,
    },
    /// Ends the process; what its children inherited stays open.
    Exit,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The system call.
    #[default]
    Call,
    /// `io_uring`.
    #[serde(rename = "io_uring")]
    Uring,
    /// The system call of 32-bit programs.
    Compat,
    /// `socketcall(2)`, the older system call of 32-bit programs.
    Socketcall,
    /// The system call, with an address that is cut short.
    #[serde(rename = "short_sockaddr")]
    Short,
    /// The system call, with an address where nobody may read.
    BadPointer,
}

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// MPTCP.
    Mptcp,
    /// SCTP.
    Sctp,
    /// ICMP echo.
    Ping,
}

/// A socket option; the plain words switch it on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketOption {
    /// `SO_REUSEADDR`.
    ReuseAddress,
    /// `SO_REUSEADDR` off again.
    NoReuseAddress,
    /// `SO_REUSEPORT`.
    ReusePort,
    /// `IPV6_V6ONLY`.
    V6Only,
    /// `IPV6_V6ONLY` off, whatever the default.
    DualStack,
    /// `IP_BIND_ADDRESS_NO_PORT`.
    BindAddressNoPort,
    /// `IP_LOCAL_PORT_RANGE`, lowest and highest.
    LocalPortRange(u16, u16),
    /// `SO_BINDTODEVICE`.
    BindToDevice(String),
}

/// What came of an action.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Answer {
    /// The errno, where the call was refused.
    pub error: Option<String>,
    /// The actor itself failed: the scenario cannot go on.
    pub fault: Option<String>,
    /// Inode of the socket.
    pub inode: Option<u64>,
    /// Descriptor of the socket.
    pub fd: Option<u32>,
    /// Local address of the socket.
    pub address: Option<IpAddr>,
    /// Local port of the socket.
    pub port: Option<u16>,
    /// The actor, or the child it started.
    pub pid: u32,
    /// Name of the mailbox.
    pub mailbox: Option<String>,
    /// How many calls of a storm were refused.
    pub refused: Option<u32>,
    /// Helpers that held a port for a moment: pid and port.
    #[serde(default)]
    pub transients: Vec<(u32, u16)>,
    /// Descriptors closed, with their inodes.
    #[serde(default)]
    pub closed: Vec<(u64, u32)>,
}

/// The name of the errnos that scenarios meet.
#[must_use]
pub fn errno_name(errno: Errno) -> String {
    let name = match errno {
        Errno::ADDRINUSE => "EADDRINUSE",
        Errno::ADDRNOTAVAIL => "EADDRNOTAVAIL",
        Errno::ACCESS => "EACCES",
        Errno::OPNOTSUPP => "EOPNOTSUPP",
        Errno::PERM => "EPERM",
        Errno::INVAL => "EINVAL",
        Errno::AGAIN => "EAGAIN",
        Errno::CONNREFUSED => "ECONNREFUSED",
        Errno::NOPROTOOPT => "ENOPROTOOPT",
        Errno::PROTONOSUPPORT => "EPROTONOSUPPORT",
        Errno::AFNOSUPPORT => "EAFNOSUPPORT",
        Errno::NOTCONN => "ENOTCONN",
        Errno::ISCONN => "EISCONN",
        Errno::MFILE => "EMFILE",
        Errno::NODEV => "ENODEV",
        Errno::NOENT => "ENOENT",
        Errno::FAULT => "EFAULT",
        Errno::ROFS => "EROFS",
        _ => return format!("errno {}", errno.raw_os_error()),
    };
    name.to_owned()
}
