//! The questions to the broker, and how the broker answers each.

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
/// Bytes of a question: its kind, a detail, the length of the path, a zero byte, and the path.
pub(super) const QUESTION: usize = 4 + LONGEST_PATH;
/// Bytes of an answer: an error number (0 for none), and the number of a [`Liveness`].
pub(super) const ANSWER: usize = 8;

/// A question, sent together with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// A new socket; the descriptor refers to a network namespace.
    Socket(SocketKind),
    /// The open file of a setting; the descriptor refers to a network namespace.
    Setting(Setting),
    /// The file at a path, opened with O_PATH; the descriptor refers to the folder where the path begins.
    Path(PathQuestion<'a>),
    /// Whether a socket is bound to a socket file; the descriptor refers to that file.
    Liveness,
}

/// The kind of socket to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// A socket for questions to the kernel's socket diagnosis.
    Diagnosis,
    /// A socket for the names of interfaces.
    Interfaces,
    /// A socket that can be bound to a port.
    Port(Family, Protocol),
}

/// The sockets that can be bound to a port; the index of a socket stands for it in a question.
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
    /// Makes the socket in the network namespace of this thread.
    ///
    /// # Errors
    /// The errors of socket(2); EPROTONOSUPPORT and EAFNOSUPPORT for a socket without a port.
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

/// A setting of a network namespace: a file in `/proc/sys/net/ipv4`. While it is open, the file shows the namespace of
/// the thread that opened it (`net_ctl_root` in net/sysctl_net.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The range of ephemeral ports.
    PortRange,
    /// The ephemeral ports that are reserved.
    ReservedPorts,
    /// The first port that needs no capability.
    UnprivilegedPortStart,
}

impl Setting {
    const ALL: [Self; 3] = [Self::PortRange, Self::ReservedPorts, Self::UnprivilegedPortStart];

    /// Opens the setting of the network namespace of this thread.
    ///
    /// # Errors
    /// The errors of openat(2).
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
    /// Where the path begins.
    pub resolve: Resolve,
    /// Whether the last part is followed, too, if it is a symbolic link.
    pub follows: bool,
}

impl PathQuestion<'_> {
    /// Opens the file at the path with O_PATH, for neither reading nor writing.
    ///
    /// # Errors
    /// The errors of openat(2); ELOOP and EXDEV as from openat2(2).
    pub fn open(&self, folder: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        Walk::new(self.resolve, folder).open(self.path, self.follows)
    }
}

/// Whether a socket is bound to a socket file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// A socket is bound to the file.
    Live,
    /// No socket is bound to the file.
    Stale,
    /// The kernel gave no answer.
    Unknown,
}

impl Liveness {
    const ALL: [Self; 3] = [Self::Live, Self::Stale, Self::Unknown];

    /// Asks the kernel: connect(2) is refused if no socket is bound to the file, whatever the network namespace
    /// (`unix_find_bsd` in net/unix/af_unix.c, 5.10 to 7.3). The check needs the right to write to the file.
    ///
    /// The owner of the socket does not notice the check. If the types of both sockets differ, the kernel reports
    /// EPROTOTYPE before anything happens; two types are tried, so at least one of them differs. The connecting socket
    /// is one end of a pair and thus connected already: at a socket of its own type, the kernel refuses it, too
    /// (`unix_stream_connect`).
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
    /// The encoded question.
    ///
    /// # Errors
    /// ENAMETOOLONG for a path longer than a socket's path can be; EPROTONOSUPPORT for a socket without a port.
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

    /// The question that these bytes encode.
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
