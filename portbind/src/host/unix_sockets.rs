//! Sockets of AF_UNIX that have a name: asked of the kernel (unix_diag), or read in `/proc/PID/net/unix`.

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

/// include/uapi/linux/unix_diag.h: what is asked for (names, files, queues, owners), and where it stands.
const SHOW: u32 = 0x01 | 0x02 | 0x10 | 0x40;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_UID: u16 = 7;
/// Bytes of `struct unix_diag_msg`.
const MESSAGE: usize = 16;
/// `__SO_ACCEPTCON` (include/uapi/linux/net.h): the socket listens.
const LISTENS: u32 = 1 << 16;

/// A socket of AF_UNIX that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortlessSocket {
    /// Inode number in sockfs.
    pub inode: u64,
    /// Its type.
    pub protocol: Protocol,
    /// Its state.
    pub state: State,
    /// Its name, as it was given to bind.
    pub name: Name,
    /// The file that its path led to when it was bound, wherever that is now.
    pub file: Option<FileId>,
    /// Owner; from 5.3 on.
    pub uid: Option<u32>,
    /// Connections waiting to be accepted, of how many that may (listeners).
    pub backlog: Option<(u32, u32)>,
}

impl PortlessSocket {
    /// The socket as a holder of its name, with nobody behind it yet.
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

/// The named sockets of a network namespace, as unix_diag tells them; of this process' own, where none is given.
///
/// # Errors
/// If the kernel has no unix_diag, or does not let this process into the namespace.
pub fn ask(entrance: &Entrance, namespace: Option<BorrowedFd<'_>>) -> io::Result<Vec<PortlessSocket>> {
    let mut diagnosis = SockDiag::open(entrance, namespace)?;
    let mut found = Vec::new();
    diagnosis.dump(&request(), |body| found.extend(read_socket(body)))?;
    Ok(found)
}

/// The named sockets of the network namespace of a process, from its `net/unix` (unix_seq_show in
/// net/unix/af_unix.c): without files and owners, and only those whose name no other socket of the same
/// type has. Which of two has it is not told; and a name may hold newlines, and so forge a line.
#[must_use]
pub fn list(procfs: &Procfs, process: &str) -> Vec<PortlessSocket> {
    const MOST: u64 = 64 << 20;
    let bytes = procfs.read_up_to(&format!("{process}/net/unix"), MOST).unwrap_or_default();
    let all: Vec<PortlessSocket> = bytes.split(|&byte| byte == b'\n').skip(1).filter_map(read_line).collect();
    // Anybody may have a hundred thousand: each is looked at twice, not once for each other.
    let mut counts: HashMap<(&Name, Protocol), usize> = HashMap::with_capacity(all.len());
    for socket in &all {
        *counts.entry((&socket.name, socket.protocol)).or_default() += 1;
    }
    let is_alone = |socket: &&PortlessSocket| counts.get(&(&socket.name, socket.protocol)) == Some(&1);
    all.iter().filter(is_alone).cloned().collect()
}

/// `struct unix_diag_req`: family, protocol, padding, states (all), inode (any), what to show, cookie (any).
fn request() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0];
    for word in [u32::MAX, 0, SHOW, u32::MAX, u32::MAX] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

/// Reads a `struct unix_diag_msg` (family, type, state, padding, inode, cookie) and its attributes; `None`
/// of a socket without a name.
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

/// include/linux/net.h.
const fn protocol_of(number: u32) -> Option<Protocol> {
    match number {
        1 => Some(Protocol::Stream),
        2 => Some(Protocol::Dgram),
        5 => Some(Protocol::Seqpacket),
        _ => None,
    }
}

/// Address, references, protocol, flags, type, state (`socket_state`), inode, and a name in the end, where
/// an abstract one begins with `@` and has `@` for NUL.
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

/// What a socket is looked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The file that it is bound to, or where files are not told, the path it was given from the root on.
    File(FileId, Option<Vec<u8>>),
    /// An abstract name and a type.
    Abstract(Vec<u8>, Protocol),
}

impl Wanted {
    /// Whether this socket is one.
    #[must_use]
    pub fn is(&self, socket: &PortlessSocket) -> bool {
        match (self, &socket.name, socket.file) {
            (Self::File(file, _), _, Some(bound)) if *file == bound => true,
            // Some file systems (btrfs) give each of their volumes a device of its own for stat alone.
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

/// Finds sockets in a network namespace: as [`find`] does, from within.
#[must_use]
pub fn in_namespace(procfs: &Procfs, netns: &Netns, wanted: &Wanted) -> Vec<PortlessSocket> {
    let told = ask(&Entrance::Own, netns.descriptor());
    let all = told.or_else(|_| netns.inside(|| list(procfs, "thread-self")));
    all.unwrap_or_default().into_iter().filter(|socket| wanted.is(socket)).collect()
}

/// Finds sockets in one network namespace: as unix_diag tells them, or as `/proc` does.
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
