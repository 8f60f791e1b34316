//! Sockets of AF_UNIX that have a name: asked of the kernel (unix_diag), or read in `/proc/PID/net/unix`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::netns::inside;
use super::procfs::Procfs;
use super::unix::FileId;
use crate::diagnosis::event::{Name, Protocol, State};

/// include/uapi/linux/netlink.h.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const REQUEST_DUMP: u16 = 0x301;
/// include/uapi/linux/sock_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// include/uapi/linux/unix_diag.h: what is asked for (names, files, queues, owners), and where it stands.
const SHOW: u32 = 0x01 | 0x02 | 0x10 | 0x40;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_UID: u16 = 7;
/// Bytes of `struct nlmsghdr` and `struct unix_diag_msg`.
const HEADER: usize = 16;
/// More than a dump puts into one message (netlink_dump in net/netlink/af_netlink.c).
const BUFFER: usize = 64 * 1024;
/// `__SO_ACCEPTCON` (include/uapi/linux/net.h): the socket listens.
const LISTENS: u32 = 1 << 16;

/// A socket of AF_UNIX that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSocket {
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

/// The named sockets of a network namespace, as unix_diag tells them.
///
/// # Errors
/// If the kernel has no unix_diag, or does not let this process into the namespace.
pub fn ask(namespace: BorrowedFd<'_>) -> io::Result<Vec<NamedSocket>> {
    let socket = open_in(namespace)?;
    send(&socket, &request(), SendFlags::empty())?;
    let mut buffer = vec![0; BUFFER];
    let mut found = Vec::new();
    loop {
        let (len, _) = recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let bytes = buffer.get(..len).unwrap_or_default();
        if bytes.is_empty() || read_messages(bytes, &mut found)? {
            return Ok(found);
        }
    }
}

/// The named sockets of the network namespace of a process, from its `net/unix` (unix_seq_show in
/// net/unix/af_unix.c): without files and owners, and only those whose name no other socket of the same
/// type has. Which of two has it is not told; and a name may hold newlines, and so forge a line.
#[must_use]
pub fn list(procfs: &Procfs, process: &str) -> Vec<NamedSocket> {
    const MOST: u64 = 64 << 20;
    let bytes = procfs.read_up_to(&format!("{process}/net/unix"), MOST).unwrap_or_default();
    let all: Vec<NamedSocket> = bytes.split(|&byte| byte == b'\n').skip(1).filter_map(read_line).collect();
    let is_alone = |one: &NamedSocket| {
        let same = |other: &&NamedSocket| (&one.name, one.protocol) == (&other.name, other.protocol);
        all.iter().filter(same).count() == 1
    };
    all.iter().filter(|one| is_alone(one)).cloned().collect()
}

/// Opens a diagnosis socket in a network namespace: a socket belongs to the one its thread was in.
fn open_in(namespace: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let open = || {
        let protocol = Some(netlink::SOCK_DIAG);
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)
    };
    Ok(inside(namespace, open)??)
}

/// `struct nlmsghdr` and `struct unix_diag_req`.
fn request() -> Vec<u8> {
    const LEN: u32 = 40;
    let mut bytes = Vec::new();
    bytes.extend(LEN.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_DUMP.to_ne_bytes());
    bytes.extend([0; 8]);
    // Family, protocol, padding, states (all), inode (any), what to show, cookie (any).
    bytes.extend([1, 0, 0, 0]);
    for word in [u32::MAX, 0, SHOW, u32::MAX, u32::MAX] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes
}

/// Reads the messages of one packet; whether they were the last.
fn read_messages(mut bytes: &[u8], found: &mut Vec<NamedSocket>) -> io::Result<bool> {
    while let (Some(len), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let Some(body) = bytes.get(HEADER..len) else { break };
        match kind {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => {
                let error = u32_at(body, 0).unwrap_or_default().cast_signed().wrapping_neg();
                return Err(io::Error::from_raw_os_error(error));
            }
            _ => found.extend(read_socket(body)),
        }
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// Reads a `struct unix_diag_msg` (family, type, state, padding, inode, cookie) and its attributes; `None`
/// of a socket without a name.
fn read_socket(body: &[u8]) -> Option<NamedSocket> {
    let &[_, kind, state, _, ..] = body else { return None };
    let state = State::of_number(state);
    let mut socket = NamedSocket {
        inode: u32_at(body, 4)?.into(),
        protocol: protocol_of(kind.into())?,
        state,
        name: Name::Unnamed,
        file: None,
        uid: None,
        backlog: None,
    };
    let mut rest = body.get(HEADER..)?;
    while let (Some(len), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let Some(value) = rest.get(4..usize::from(len)) else { break };
        match kind {
            UNIX_DIAG_NAME => socket.name = Name::of_unix(value),
            UNIX_DIAG_VFS => socket.file = file_of(value),
            UNIX_DIAG_RQLEN if state == State::Listen => {
                socket.backlog = u32_at(value, 0).zip(u32_at(value, 4));
            }
            UNIX_DIAG_UID => socket.uid = u32_at(value, 0),
            _ => {}
        }
        rest = rest.get(usize::from(len).next_multiple_of(4)..).unwrap_or_default();
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
fn read_line(line: &[u8]) -> Option<NamedSocket> {
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
    Some(NamedSocket { inode, protocol, state, name, file: None, uid: None, backlog: None })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
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
    pub fn is(&self, socket: &NamedSocket) -> bool {
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

/// Finds sockets in one network namespace: as unix_diag tells them, or as `/proc` does.
#[must_use]
pub fn find(procfs: &Procfs, process: &str, namespace: &OwnedFd, wanted: &Wanted) -> Vec<NamedSocket> {
    let all = ask(namespace.as_fd()).unwrap_or_else(|_| list(procfs, process));
    all.into_iter().filter(|socket| wanted.is(socket)).collect()
}

#[cfg(test)]
#[path = "unix_sockets_tests.rs"]
mod tests;
