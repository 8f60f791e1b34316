//! Actions on portless sockets.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::action::{Answer, Way};
use super::name::{Kind, Object, SocketName};
use super::sockets::{Failure, Sockets, describe};
use crate::sys;

/// Opens a socket.
pub(super) fn open(kind: Kind) -> Result<OwnedFd, Failure> {
    let (family, kind) = match kind {
        Kind::UnixStream => (AddressFamily::UNIX, SocketType::STREAM),
        Kind::UnixDgram => (AddressFamily::UNIX, SocketType::DGRAM),
        Kind::UnixSeqpacket => (AddressFamily::UNIX, SocketType::SEQPACKET),
        Kind::NetlinkRoute => (AddressFamily::NETLINK, SocketType::RAW),
        Kind::VsockStream => (AddressFamily::VSOCK, SocketType::STREAM),
        Kind::Packet => (AddressFamily::PACKET, SocketType::RAW),
    };
    Ok(rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// bind(2).
pub(super) fn bind(
    stage: &Sockets,
    label: &str,
    name: &SocketName,
    folder: &Path,
    by: Way,
) -> Result<Answer, Failure> {
    let socket = stage.get(label)?;
    if let SocketName::Relative(_) = name {
        rustix::process::chdir(folder)?;
    }
    let address = name.sockaddr(folder);
    match by {
        Way::Call => sys::net::bind(socket, &address)?,
        Way::Uring => sys::uring::bind(socket, &address)?,
        Way::Compat => sys::compat::bind(socket, &address, false)?,
        Way::Socketcall => sys::compat::bind(socket, &address, true)?,
        Way::Short | Way::BadPointer => return Err(Failure::Fault("not with a name".to_owned())),
    }
    describe(socket)
}

/// Creates an object at a path.
pub(super) fn make(object: Object, path: &Path) -> Result<(), Failure> {
    match object {
        Object::File => drop(std::fs::File::create(path)?),
        Object::Folder => std::fs::create_dir(path)?,
        Object::DanglingLink => std::os::unix::fs::symlink("/no-such-folder/file", path)?,
        Object::Link => std::os::unix::fs::symlink(".", path)?,
    }
    Ok(())
}
