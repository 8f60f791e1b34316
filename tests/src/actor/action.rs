//! The actions that an actor can perform, and its answers.
//!
//! This is the form in which actions go through the pipe; `scenario::verb` parses them from the steps of a scenario.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::name::{Kind, Object, SocketName};

/// One action. `socket` is the label of an existing socket, `new` the label of a new one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Opens a socket, binds it if a port is given, and listens if `listen` is set.
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
        /// Interface index for the scope of an IPv6 address.
        #[serde(default)]
        scope: u32,
        /// How to make the call.
        #[serde(default)]
        by: Way,
    },
    /// Opens a portless socket.
    Open {
        /// Its label.
        new: String,
        /// Its family and type.
        kind: Kind,
    },
    /// bind(2) of a portless socket.
    BindName {
        /// The socket.
        socket: String,
        /// The name to bind.
        name: SocketName,
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
        /// How to make the call.
        #[serde(default)]
        by: Way,
    },
    /// Creates an object at a path in the folder of this play.
    Make {
        /// The object.
        object: Object,
        /// The path.
        path: String,
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
    },
    /// Makes the folder of this play the actor's root.
    Chroot {
        /// The folder of this play; filled in by the runner.
        #[serde(default)]
        folder: PathBuf,
    },
    /// listen(2).
    Listen {
        /// The socket.
        socket: String,
        /// How to make the call.
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
    /// Undoes a connect: connect(2) with `AF_UNSPEC`.
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
    /// Closes every descriptor with the label.
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
    /// Starts a sleeping child that inherits the socket.
    Inherit {
        /// The socket.
        socket: String,
        /// Name of the child in the scenario.
        child: String,
        /// Sets close-on-exec on the descriptor, so that the child starts without it.
        #[serde(default)]
        close_on_exec: bool,
    },
    /// Opens the mailbox for descriptors; the answer contains its name.
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
    /// Receives a socket from the mailbox.
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
        /// The value to write.
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
    /// Ignores SIGTERM from now on.
    IgnoreTerm,
    /// Keeps copies of all sockets in a thread with a separate descriptor table.
    KeepApart,
    /// Opens this many connections to the listener, and keeps both ends open.
    Crowd {
        /// The listener.
        socket: String,
        /// The number of connections.
        count: u32,
    },
    /// Opens a socket and repeatedly binds it to a taken port.
    Storm {
        /// Address family.
        family: Family,
        /// Transport protocol.
        protocol: Protocol,
        /// Address.
        address: IpAddr,
        /// Port.
        port: u16,
        /// The number of binds.
        count: u32,
    },
    /// Starts helpers one after the other: each takes a port, ends at once after this actor was refused the port.
    Transients {
        /// The number of helpers.
        count: u32,
    },
    /// Binds and closes sockets one after the other, on ports that the kernel chooses.
    Churn {
        /// The number of sockets.
        count: u32,
    },
    /// Makes the kernel listen: creates an MPTCP endpoint with a port in the current network namespace.
    KernelListen {
        /// Address.
        address: Ipv4Addr,
        /// Port.
        port: u16,
    },
    /// Creates an interface with an IPv6 address whose duplicate address detection takes very long.
    Interface {
        /// Name of the interface.
        name: String,
        /// Address of the interface.
        address: Ipv6Addr,
    },
    /// Performed by the runner: moves the actor into a cgroup whose program refuses every IPv4 bind.
    Forbid {
        /// The error of the refusal; EPERM if absent.
        error: Option<u16>,
    },
    /// Ends the process; sockets that its children inherited stay open.
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
    /// The system call with a truncated address.
    #[serde(rename = "short_sockaddr")]
    Short,
    /// The system call with an unreadable address.
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

/// A socket option; variants without a value switch it on.
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

/// The result of an action.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Answer {
    /// The errno, if the call was refused.
    pub error: Option<String>,
    /// The actor itself failed, so the scenario cannot continue.
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
    /// The number of refused calls of a storm.
    pub refused: Option<u32>,
    /// Helpers that briefly held a port: pid and port.
    #[serde(default)]
    pub transients: Vec<(u32, u16)>,
    /// The closed descriptors with their inodes.
    #[serde(default)]
    pub closed: Vec<(u64, u32)>,
}

/// The names of the errnos in scenarios.
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
