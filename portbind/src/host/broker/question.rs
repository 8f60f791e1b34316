//! What can be asked of the broker, and how it is done.

use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, ipproto, netlink, socket_with,
    socketpair,
};

use super::resolve::{Resolve, Walk};
use crate::event::{Family, Protocol};

/// Bytes of the longest path of a socket (`struct sockaddr_un`, include/uapi/linux/un.h).
const LONGEST_PATH: usize = 108;
/// Bytes of a question: its kind, a detail, the length of the path, one that is zero, and the path.
pub(super) const QUESTION: usize = 4 + LONGEST_PATH;

/// A question, asked together with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// A new socket; the descriptor is that of a network namespace.
    Socket(SocketKind),
    /// The open file of a setting; the descriptor is that of a network namespace.
    Setting(Setting),
    /// What is at a path, opened with O_PATH; the descriptor is that of the folder where the path begins.
    Path(PathQuestion<'a>),
    /// Whether a socket is bound to a socket file, of which this is a descriptor.
    Liveness,
}

/// Which socket is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// For questions to the kernel's socket diagnosis.
    Diagnosis,
    /// For names of interfaces.
    Interfaces,
    /// One that can be bound to a port.
    Port(Family, Protocol),
}

/// The sockets that can be bound to a port, each at the place that stands for it in a question.
const PORTS: [(Family, Protocol); 10] = [
    (Family::Inet, Protocol::Tcp),
    (Family::Inet, Protocol::Mptcp),
    (Family::Inet, Protocol::Sctp),
    (Family::Inet, Protocol::Udp),
    (Family::Inet, Protocol::Udplite),
    (Family::Inet6, Protocol::Tcp),
    (Family::Inet6, Protocol::Mptcp),
    (Family::Inet6, Protocol::Sctp),
    (Family::Inet6, Protocol::Udp),
    (Family::Inet6, Protocol::Udplite),
];

impl SocketKind {
    /// Makes one in the network namespace of this thread.
    ///
    /// # Errors
    /// Those of socket(2); EPROTONOSUPPORT and EAFNOSUPPORT of what has no port.
    pub fn open(self) -> Result<OwnedFd, Errno> {
        let (family, kind, protocol) = match self {
            Self::Diagnosis => (AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG)),
            Self::Interfaces => (AddressFamily::UNIX, SocketType::DGRAM, None),
            Self::Port(family, protocol) => {
                let (kind, protocol) = match protocol {
                    Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
                    Protocol::Mptcp => (SocketType::STREAM, ipproto::MPTCP),
                    Protocol::Sctp => (SocketType::STREAM, ipproto::SCTP),
                    Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
                    Protocol::Udplite => (SocketType::DGRAM, ipproto::UDPLITE),
                    _ => return Err(Errno::PROTONOSUPPORT),
                };
                let family = match family {
                    Family::Inet => AddressFamily::INET,
                    Family::Inet6 => AddressFamily::INET6,
                    _ => return Err(Errno::AFNOSUPPORT),
                };
                (family, kind, Some(protocol))
            }
        };
        socket_with(family, kind, SocketFlags::CLOEXEC, protocol)
    }

    fn number(self) -> Result<u8, Errno> {
        match self {
            Self::Diagnosis => Ok(0),
            Self::Interfaces => Ok(1),
            Self::Port(family, protocol) => {
                let mut ports = (2..).zip(PORTS);
                let found = ports.find(|(_, port)| *port == (family, protocol));
                found.map(|(number, _)| number).ok_or(Errno::PROTONOSUPPORT)
            }
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Diagnosis),
            1 => Some(Self::Interfaces),
            number => {
                let (family, protocol) = *PORTS.get(usize::from(number - 2))?;
                Some(Self::Port(family, protocol))
            }
        }
    }
}

/// A setting of a network namespace: a file in `/proc/sys/net/ipv4`, which shows the namespace of the thread that
/// opens it (`net_ctl_root` in net/sysctl_net.c), for as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Ephemeral ports.
    PortRange,
    /// Those of them that are kept free.
    ReservedPorts,
    /// The first port that takes no capability.
    UnprivilegedPortStart,
}

impl Setting {
    const ALL: [Self; 3] = [Self::PortRange, Self::ReservedPorts, Self::UnprivilegedPortStart];

    /// Opens it, as it is in the network namespace of this thread.
    ///
    /// # Errors
    /// Those of openat(2).
    pub fn open(self) -> Result<OwnedFd, Errno> {
        let path = match self {
            Self::PortRange => "/proc/sys/net/ipv4/ip_local_port_range",
            Self::ReservedPorts => "/proc/sys/net/ipv4/ip_local_reserved_ports",
            Self::UnprivilegedPortStart => "/proc/sys/net/ipv4/ip_unprivileged_port_start",
        };
        openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }
}

/// A path of a socket file, and how it is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathQuestion<'a> {
    /// The path.
    pub path: &'a [u8],
    /// From where on.
    pub resolve: Resolve,
    /// Also the last part, if it is a symbolic link.
    pub follows: bool,
}

impl PathQuestion<'_> {
    /// Opens what is there, neither to read nor to write it.
    ///
    /// # Errors
    /// Those of openat(2); ELOOP and EXDEV as by openat2(2).
    pub fn open(&self, folder: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        Walk::new(self.resolve, folder).open(self.path, self.follows)
    }
}

/// Whether a socket is bound to a socket file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// One is.
    Live,
    /// None is.
    Stale,
    /// The kernel did not say.
    Unknown,
}

impl Liveness {
    const ALL: [Self; 3] = [Self::Live, Self::Stale, Self::Unknown];

    /// Asks the kernel: a connect is refused if none is, whatever the network namespace (`unix_find_bsd` in
    /// net/unix/af_unix.c, 5.10 to 7.3). It takes the right to write to the file.
    ///
    /// Nobody notices. To a socket of another type than the one that connects, the kernel says so (EPROTOTYPE) before
    /// anything happens; two types are tried, of which one is another. And one that is connected already, as the ends
    /// of a pair are, gets no further than that at a socket of its own type (`unix_stream_connect`).
    #[must_use]
    pub fn of(file: BorrowedFd<'_>) -> Self {
        match (probe(file, SocketType::SEQPACKET), probe(file, SocketType::STREAM)) {
            (Err(Errno::CONNREFUSED), Err(Errno::CONNREFUSED)) => Self::Stale,
            (Err(Errno::PROTOTYPE), _) | (_, Err(Errno::PROTOTYPE)) => Self::Live,
            _ => Self::Unknown,
        }
    }

    pub(super) fn number(self) -> u8 {
        self as u8
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|liveness| liveness.number() == number)
    }
}

fn probe(file: BorrowedFd<'_>, kind: SocketType) -> Result<(), Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (end, _other_end) = socketpair(AddressFamily::UNIX, kind, flags, None)?;
    connect(&end, &SocketAddrUnix::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?)
}

impl<'a> Question<'a> {
    /// The bytes that stand for it.
    ///
    /// # Errors
    /// ENAMETOOLONG of a path that no socket can have; EPROTONOSUPPORT of a socket without a port.
    pub(super) fn to_bytes(self) -> Result<[u8; QUESTION], Errno> {
        let (kind, detail, path) = match self {
            Self::Socket(kind) => (1, kind.number()?, &[][..]),
            Self::Setting(setting) => (2, setting as u8, &[][..]),
            Self::Path(look) => (3, look.resolve as u8 | u8::from(look.follows) << 7, look.path),
            Self::Liveness => (4, 0, &[][..]),
        };
        let mut bytes = [0; QUESTION];
        let (head, room) = bytes.split_at_mut(QUESTION - LONGEST_PATH);
        let len = u8::try_from(path.len()).map_err(|_| Errno::NAMETOOLONG)?;
        room.get_mut(..path.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(path);
        head.copy_from_slice(&[kind, detail, len, 0]);
        Ok(bytes)
    }

    /// The question that these bytes stand for.
    pub(super) fn of_bytes(bytes: &'a [u8; QUESTION]) -> Option<Self> {
        let (&[kind, detail, len, 0], room) = bytes.split_first_chunk()? else { return None };
        let (path, rest) = room.split_at_checked(usize::from(len))?;
        if rest.iter().any(|&byte| byte != 0) {
            return None;
        }
        let question = match kind {
            1 => Self::Socket(SocketKind::of_number(detail)?),
            2 => Self::Setting(*Setting::ALL.get(usize::from(detail))?),
            3 => {
                let resolve = *Resolve::ALL.get(usize::from(detail & 0x7f))?;
                Self::Path(PathQuestion { path, resolve, follows: detail & 0x80 != 0 })
            }
            4 if detail == 0 => Self::Liveness,
            _ => return None,
        };
        (matches!(question, Self::Path(_)) || path.is_empty()).then_some(question)
    }
}
