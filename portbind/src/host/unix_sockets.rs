//! Portless sockets (AF_UNIX) with a name: from the kernel (unix_diag), or from `/proc/PID/net/unix`.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::entrance::Entrance;
use super::netns::Netns;
use super::procfs::Procfs;
use super::sock_diag::{SockDiag, attributes, u32_at};
use super::unix::FileId;
use crate::event::{Family, Holder, Name, Options, Ownership, Protocol, SocketId, State};

/// From include/uapi/linux/unix_diag.h: the flags that request names, files, queues and user ids, and the attributes.
const SHOW: u32 = 0x01 | 0x02 | 0x10 | 0x40;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_UID: u16 = 7;
/// Bytes of `struct unix_diag_msg`.
const MESSAGE: usize = 16;
/// `__SO_ACCEPTCON` (include/uapi/linux/net.h): the socket listens.
const LISTENS: u32 = 1 << 16;

/// An AF_UNIX socket with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortlessSocket {
    /// Inode number in sockfs.
    pub inode: u64,
    /// Type of the socket.
    pub protocol: Protocol,
    /// State of the socket.
    pub state: State,
    /// Name of the socket, as passed to bind.
    pub name: Name,
    /// The file that the path led to at the time of the bind, wherever that file is now.
    pub file: Option<FileId>,
    /// User id of the socket; from 5.3 on.
    pub uid: Option<u32>,
    /// For a listener: the number of connections waiting to be accepted, and their maximum (the backlog).
    pub backlog: Option<(u32, u32)>,
}

impl PortlessSocket {
    /// The socket as a holder of its name, without owners yet.
    #[must_use]
    pub fn holder(self) -> Holder {
        let is_netlink = matches!(self.name, Name::Netlink { .. });
        Holder {
            id: SocketId { object: 0, inode: self.inode },
            state: self.state,
            conflicts: true,
            protocol: self.protocol,
            family: if is_netlink { Family::Netlink } else { Family::Unix },
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
            name: Some(self.name),
            peer: None,
            interface: None,
            inode: Some(self.inode),
            uid: self.uid,
            user: None,
            options: Options::default(),
            options_known: true,
            ownership: Ownership::Process,
            time_wait_left_ms: None,
            backlog: self.backlog,
            opened_by: None,
            since: None,
            left_by: None,
            processes: Vec::new(),
            more_processes: 0,
        }
    }
}

/// The portless sockets of a network namespace, from unix_diag; of this process's own if `namespace` is `None`.
///
/// # Errors
/// If the kernel has no unix_diag, or does not permit this process to enter the namespace.
pub fn ask(entrance: &Entrance, namespace: Option<BorrowedFd<'_>>) -> io::Result<Vec<PortlessSocket>> {
    let mut diagnosis = SockDiag::open(entrance, namespace)?;
    let mut found = Vec::new();
    diagnosis.dump(&request(), |body| found.extend(read_socket(body)))?;
    Ok(found)
}

/// The portless sockets in the network namespace of a process, from its `net/unix` (unix_seq_show in
/// net/unix/af_unix.c): without files and user ids. A socket is left out if another socket of the same type has the
/// same name: the file does not show which of the two really has the name, and a name may hold newlines and so forge a
/// line.
#[must_use]
pub fn list(procfs: &Procfs, process: &str) -> Vec<PortlessSocket> {
    const MOST: u64 = 64 << 20;
    let bytes = procfs.read_up_to(&format!("{process}/net/unix"), MOST).unwrap_or_default();
    let all: Vec<PortlessSocket> = bytes.split(|&byte| byte == b'\n').skip(1).filter_map(read_line).collect();
    // Any user may have a hundred thousand sockets: visit each socket twice, and do not compare all pairs.
    let mut counts: HashMap<(&Name, Protocol), usize> = HashMap::with_capacity(all.len());
    for socket in &all {
        *counts.entry((&socket.name, socket.protocol)).or_default() += 1;
    }
    let is_alone = |socket: &&PortlessSocket| counts.get(&(&socket.name, socket.protocol)) == Some(&1);
    all.iter().filter(is_alone).cloned().collect()
}

/// `struct unix_diag_req`: family, protocol, padding, states (all), inode (any), requested attributes, cookie (any).
fn request() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0];
    for word in [u32::MAX, 0, SHOW, u32::MAX, u32::MAX] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

/// Parses a `struct unix_diag_msg` (family, type, state, padding, inode, cookie) and its attributes; `None` for a
/// socket without a name.
fn read_socket(body: &[u8]) -> Option<PortlessSocket> {
    let &[_, kind, state, _, ..] = body else { return None };
    let state = State::of_number(state);
    let mut socket = PortlessSocket {
        inode: u32_at(body, 4)?.into(),
        protocol: protocol_of(kind.into())?,
        state,
        name: Name::Unnamed,
        file: None,
        uid: None,
        backlog: None,
    };
    for (kind, value) in attributes(body.get(MESSAGE..)?) {
        match kind {
            UNIX_DIAG_NAME => socket.name = Name::of_unix(value),
            UNIX_DIAG_VFS => socket.file = file_of(value),
            UNIX_DIAG_RQLEN if state == State::Listen => {
                socket.backlog = u32_at(value, 0).zip(u32_at(value, 4));
            }
            UNIX_DIAG_UID => socket.uid = u32_at(value, 0),
            _ => {}
        }
    }
    (socket.name != Name::Unnamed).then_some(socket)
}

fn file_of(value: &[u8]) -> Option<FileId> {
    Some(FileId { inode: u32_at(value, 0)?, device: u32_at(value, 4)? })
}

/// Socket types from include/linux/net.h.
const fn protocol_of(number: u32) -> Option<Protocol> {
    match number {
        1 => Some(Protocol::Stream),
        2 => Some(Protocol::Dgram),
        5 => Some(Protocol::Seqpacket),
        _ => None,
    }
}

/// Parses a line: address, references, protocol, flags, type, state (`socket_state`), inode, and last a name. An
/// abstract name begins with `@`, and has `@` in place of NUL.
fn read_line(line: &[u8]) -> Option<PortlessSocket> {
    let mut rest = line;
    let mut word = || {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|&byte| byte == b' ')?;
        let (word, after) = rest.split_at(end);
        rest = after.get(1..)?;
        std::str::from_utf8(word).ok()
    };
    let (_address, _references, _protocol) = (word()?, word()?, word()?);
    let flags = u32::from_str_radix(word()?, 16).ok()?;
    let protocol = protocol_of(u32::from_str_radix(word()?, 16).ok()?)?;
    let connected = word()? != "01";
    let inode = word()?.parse().ok()?;
    let state = match (flags & LISTENS != 0, connected) {
        (true, _) => State::Listen,
        (false, true) => State::Established,
        (false, false) => State::Bound,
    };
    let name = match rest {
        [] => return None,
        [b'@', name @ ..] => Name::Abstract(name.to_vec()),
        path => Name::Path(path.to_vec()),
    };
    Some(PortlessSocket { inode, protocol, state, name, file: None, uid: None, backlog: None })
}

/// The key that a socket is searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The file that the socket is bound to; where files are not reported, the absolute path passed to bind.
    File(FileId, Option<Vec<u8>>),
    /// An abstract name and a type.
    Abstract(Vec<u8>, Protocol),
}

impl Wanted {
    /// Whether this socket matches.
    #[must_use]
    pub fn is(&self, socket: &PortlessSocket) -> bool {
        match (self, &socket.name, socket.file) {
            (Self::File(file, _), _, Some(bound)) if *file == bound => true,
            // In stat(2) only, some file systems (btrfs) report a separate device for each volume.
            (Self::File(file, Some(path)), Name::Path(name), Some(bound)) => {
                file.inode == bound.inode && path == name
            }
            (Self::File(_, Some(path)), Name::Path(bound), None) => path == bound,
            (Self::Abstract(name, protocol), Name::Abstract(bound), _) => {
                name == bound && *protocol == socket.protocol
            }
            _ => false,
        }
    }
}

/// Like [`find`], from inside the network namespace.
#[must_use]
pub fn in_namespace(procfs: &Procfs, netns: &Netns, wanted: &Wanted) -> Vec<PortlessSocket> {
    let shown = ask(&Entrance::Own, netns.descriptor());
    let all = shown.or_else(|_| netns.inside(|| list(procfs, "thread-self")));
    all.unwrap_or_default().into_iter().filter(|socket| wanted.is(socket)).collect()
}

/// Finds sockets in one network namespace: from unix_diag, otherwise from `/proc`.
#[must_use]
pub fn find(
    procfs: &Procfs,
    entrance: &Entrance,
    process: &str,
    namespace: &OwnedFd,
    wanted: &Wanted,
) -> Vec<PortlessSocket> {
    let all = ask(entrance, Some(namespace.as_fd())).unwrap_or_else(|_| list(procfs, process));
    all.into_iter().filter(|socket| wanted.is(socket)).collect()
}

#[cfg(test)]
#[path = "unix_sockets_tests.rs"]
mod tests;
