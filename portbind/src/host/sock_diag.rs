//! Requests to the kernel's socket diagnosis (sock_diag(7)): each request returns one dump.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::broker::SocketKind;
use super::entrance::Entrance;

/// From include/uapi/linux/netlink.h.
pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLMSG_DONE: u16 = 3;
const REQUEST_DUMP: u16 = 0x301;
/// From include/uapi/linux/sock_diag.h.
pub(super) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Bytes of `struct nlmsghdr`.
pub(super) const HEADER: usize = 16;
/// Larger than the part of a dump in one message (netlink_dump in net/netlink/af_netlink.c).
const BUFFER: usize = 64 * 1024;

/// A diagnosis socket: it reports on the network namespace that it was opened in.
#[derive(Debug)]
pub(super) struct SockDiag {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl SockDiag {
    /// Opens a diagnosis socket in a network namespace; in this process's own if `namespace` is `None`.
    ///
    /// # Errors
    /// If the namespace cannot be entered, and the errors of socket(2).
    pub(super) fn open(entrance: &Entrance, namespace: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let socket = entrance.socket(namespace, SocketKind::Diagnosis)?;
        Ok(Self { socket, buffer: vec![0; BUFFER] })
    }

    /// Sends a request with a header in front, and passes the body of each message of the dump to `each`.
    ///
    /// # Errors
    /// The kernel's error: ENOENT if it has no such diagnosis.
    pub(super) fn dump(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        send(&self.socket, &with_header(request), SendFlags::empty())?;
        loop {
            let (len, _) = recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::empty())?;
            let bytes = self.buffer.get(..len).unwrap_or_default();
            if bytes.is_empty() || read_messages(bytes, &mut each)? {
                return Ok(());
            }
        }
    }
}

/// Puts a `struct nlmsghdr` in front of a request.
fn with_header(request: &[u8]) -> Vec<u8> {
    let len = u32::try_from(HEADER + request.len()).unwrap_or(u32::MAX);
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_DUMP.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(request);
    bytes
}

/// Reads the messages of one packet; returns whether they were the last.
pub(super) fn read_messages(mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<bool> {
    while let (Some(len), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let Some(body) = bytes.get(HEADER..len) else { break };
        match kind {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => {
                let error = u32_at(body, 0).unwrap_or_default().cast_signed().wrapping_neg();
                return Err(io::Error::from_raw_os_error(error));
            }
            _ => each(body),
        }
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The attributes of a message (`struct nlattr`): kind without its flags, and value.
pub(super) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// NLA_F_NESTED and NLA_F_NET_BYTEORDER (include/uapi/linux/netlink.h).
    const FLAGS: u16 = 0xc000;
    std::iter::from_fn(move || {
        let (len, kind) = (u16_at(rest, 0)?, u16_at(rest, 2)?);
        let value = rest.get(4..usize::from(len))?;
        rest = rest.get(usize::from(len).next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !FLAGS, value))
    })
}

/// A number of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A number of two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}
