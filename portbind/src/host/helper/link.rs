//! Packets between portbind and a helper process.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Sends a message, with at most one descriptor.
pub(in crate::host) fn send(
    link: BorrowedFd<'_>,
    bytes: &[u8],
    with: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let with = with.as_slice();
    if !with.is_empty() && !control.push(SendAncillaryMessage::ScmRights(with)) {
        return Err(Errno::NOBUFS);
    }
    // A closed connection must not raise SIGPIPE.
    let parts = [IoSlice::new(bytes)];
    let sent = retry_on_intr(|| sendmsg(link, &parts, &mut control, SendFlags::NOSIGNAL))?;
    if sent == bytes.len() { Ok(()) } else { Err(Errno::MSGSIZE) }
}

/// A message of this length, or the error in place of the message; and the descriptor that came with it.
pub(in crate::host) type Message<const LEN: usize> = (Result<[u8; LEN], Errno>, Option<OwnedFd>);

/// Receives a message of exactly this length, and the descriptor that came with it; `None` at the end of the
/// connection. The buffer has room for one descriptor: the kernel closes any further one.
pub(in crate::host) fn receive<const LEN: usize>(
    link: BorrowedFd<'_>,
) -> Result<Option<Message<LEN>>, Errno> {
    let mut bytes = [0; LEN];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let received = retry_on_intr(|| recvmsg(link, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC))?;
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let with = descriptors.next();
    if received.bytes == 0 && with.is_none() {
        return Ok(None);
    }
    let is_whole = received.bytes == LEN && !received.flags.contains(ReturnFlags::TRUNC);
    Ok(Some((is_whole.then_some(bytes).ok_or(Errno::INVAL), with)))
}
