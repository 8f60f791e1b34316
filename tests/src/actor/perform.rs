//! Performs actions, with one function per kind.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};

use rustix::io::FdFlags;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType,
};
use rustix::thread::LinkNameSpaceType;

use super::action::{Action, Answer, Way};
use super::sockets::{Failure, Sockets, describe, open, set, wildcard};
use super::{bulk, endpoint, portless, rename};
use crate::sys;

/// Backlog of a listener.
const BACKLOG: i32 = 128;

/// Performs an action; a failure becomes part of the answer.
pub(super) fn perform(stage: &mut Sockets, action: &Action) -> Answer {
    attempt(stage, action).unwrap_or_else(Failure::into_answer)
}

/// Performs an action.
fn attempt(stage: &mut Sockets, action: &Action) -> Result<Answer, Failure> {
    match action {
        Action::Socket { new, family, protocol, options, address, port, listen } => {
            let socket = open(*family, *protocol, options)?;
            if let Some(port) = port {
                let address = address.unwrap_or_else(|| wildcard(*family));
                rustix::net::bind(&socket, &SocketAddr::new(address, *port))?;
            }
            if *listen {
                rustix::net::listen(&socket, BACKLOG)?;
            }
            stage.keep(new, socket)
        }
        Action::Option { socket, option } => {
            set(stage.get(socket)?, option)?;
            Ok(done())
        }
        Action::Bind { socket, address, port, scope, by } => {
            let mut address = SocketAddr::new(*address, *port);
            if let SocketAddr::V6(address) = &mut address {
                address.set_scope_id(*scope);
            }
            bind(stage, socket, address, *by)
        }
        Action::Open { new, kind } => stage.keep(new, portless::open(*kind)?),
        Action::BindName { socket, name, folder, by } => portless::bind(stage, socket, name, folder, *by),
        Action::Make { object, path, folder } => portless::make(*object, &folder.join(path)).map(|()| done()),
        Action::Listen { socket, by } => listen(stage, socket, *by),
        Action::Connect { socket, address, port } => {
            let socket = stage.get(socket)?;
            rustix::net::connect(socket, &SocketAddr::new(*address, *port))?;
            describe(socket)
        }
        Action::Disconnect { socket } => {
            let socket = stage.get(socket)?;
            rustix::net::connect_unspec(socket)?;
            describe(socket)
        }
        Action::Accept { socket, new } => {
            let connection = rustix::net::accept_with(stage.get(socket)?, SocketFlags::CLOEXEC)?;
            stage.keep(new, connection)
        }
        Action::Datagram { socket, address, port } => {
            let socket = stage.get(socket)?;
            rustix::net::sendto(socket, b".", SendFlags::empty(), &SocketAddr::new(*address, *port))?;
            describe(socket)
        }
        Action::Close { socket } => stage.close(socket),
        Action::Shutdown { socket } => {
            let socket = stage.get(socket)?;
            rustix::net::shutdown(socket, Shutdown::Both)?;
            describe(socket)
        }
        Action::Drain { socket } => {
            let mut buffer = [0; 64];
            while rustix::io::read(stage.get(socket)?, &mut buffer)? > 0 {}
            Ok(done())
        }
        Action::Dup { socket, new } => {
            let copy = rustix::io::fcntl_dupfd_cloexec(stage.get(socket)?, 0)?;
            stage.keep(new, copy)
        }
        Action::Inherit { socket, child, close_on_exec } => inherit(stage, socket, child, *close_on_exec),
        Action::Mailbox => mailbox(stage),
        Action::Give { socket, mailbox, .. } => give(stage, socket, mailbox),
        Action::Take { new } => take(stage, new),
        Action::Exit => Ok(done()),
        Action::Crowd { socket, count } => bulk::crowd(stage, socket, *count),
        Action::Storm { family, protocol, address, port, count } => {
            bulk::storm(*family, *protocol, SocketAddr::new(*address, *port), *count)
        }
        Action::Transients { count } => bulk::transients(*count),
        Action::Churn { count } => bulk::churn(*count),
        Action::NewNetns
        | Action::JoinNetns { .. }
        | Action::Sysctl { .. }
        | Action::Chroot { .. }
        | Action::Setuid { .. }
        | Action::Rename { .. }
        | Action::IgnoreTerm
        | Action::KeepApart
        | Action::KernelListen { .. }
        | Action::Interface { .. }
        | Action::Forbid { .. } => surroundings(stage, action),
    }
}

/// Changes the surroundings of the sockets: namespace, interfaces, settings, user, name.
fn surroundings(stage: &mut Sockets, action: &Action) -> Result<Answer, Failure> {
    match action {
        Action::NewNetns => sys::net::new_namespace()?,
        Action::JoinNetns { pid, .. } => {
            let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net"))?;
            rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        }
        Action::Sysctl { name, value } => std::fs::write(format!("/proc/sys/net/{name}"), value)?,
        Action::Setuid { uid } => {
            let uid = rustix::process::Uid::from_raw(*uid);
            rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        }
        Action::Chroot { folder } => {
            rustix::process::chroot(folder)?;
            rustix::process::chdir("/")?;
        }
        Action::Rename { name } => rename::rename(name)?,
        Action::IgnoreTerm => sys::ignore(rustix::process::Signal::TERM.as_raw())?,
        Action::KeepApart => sys::process::keep_apart()?,
        Action::KernelListen { address, port } => endpoint::listen(*address, *port)?,
        Action::Interface { name, address } => {
            let interface = sys::tap::Tap::new(name)?;
            // One probe per second, and enough of them to outlive every scenario.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/dad_transmits"), "600")?;
            interface.up(*address)?;
            stage.interfaces.push(interface);
        }
        // The runner has performed it.
        Action::Forbid { .. } => {}
        _ => return Err(Failure::Fault("not a change of the surroundings".to_owned())),
    }
    Ok(done())
}

/// bind(2).
fn bind(stage: &Sockets, label: &str, address: SocketAddr, by: Way) -> Result<Answer, Failure> {
    let socket = stage.get(label)?;
    match by {
        Way::Call => rustix::net::bind(socket, &address)?,
        Way::Uring => sys::uring::bind(socket, &sys::net::sockaddr(address))?,
        Way::Compat => sys::compat::bind(socket, &sys::net::sockaddr(address), false)?,
        Way::Socketcall => sys::compat::bind(socket, &sys::net::sockaddr(address), true)?,
        Way::Short => sys::net::bind_short(socket, address)?,
        Way::BadPointer => sys::net::bind_bad_pointer(socket)?,
    }
    describe(socket)
}

/// listen(2).
fn listen(stage: &Sockets, label: &str, by: Way) -> Result<Answer, Failure> {
    let socket = stage.get(label)?;
    match by {
        Way::Call => rustix::net::listen(socket, BACKLOG)?,
        Way::Uring => sys::uring::listen(socket, BACKLOG.unsigned_abs())?,
        Way::Compat => sys::compat::listen(socket, BACKLOG.unsigned_abs(), false)?,
        Way::Socketcall => sys::compat::listen(socket, BACKLOG.unsigned_abs(), true)?,
        Way::Short | Way::BadPointer => return Err(Failure::Fault("listen takes no address".to_owned())),
    }
    describe(socket)
}

/// Starts a child that keeps a descriptor. The child shares the standard input, and ends when that hangs up.
fn inherit(stage: &Sockets, label: &str, name: &str, close_on_exec: bool) -> Result<Answer, Failure> {
    let socket = stage.get(label)?;
    if !close_on_exec {
        rustix::io::fcntl_setfd(socket, FdFlags::empty())?;
    }
    let child = Command::new("/proc/self/exe").args(["sleep", name]).stdout(Stdio::null()).spawn();
    rustix::io::fcntl_setfd(socket, FdFlags::CLOEXEC)?;
    Ok(Answer { pid: child?.id(), ..describe(socket)? })
}

/// Opens the mailbox.
fn mailbox(stage: &mut Sockets) -> Result<Answer, Failure> {
    let name = format!("portbind-tests-{}", std::process::id());
    let mailbox =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&mailbox, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    stage.mailbox = Some(mailbox);
    Ok(Answer { mailbox: Some(name), ..done() })
}

/// Sends a descriptor.
fn give(stage: &Sockets, label: &str, mailbox: &str) -> Result<Answer, Failure> {
    let sockets = [stage.get(label)?];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
        return Err(Failure::Fault("no space for a descriptor".to_owned()));
    }
    let post = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&post, &SocketAddrUnix::new_abstract_name(mailbox.as_bytes())?)?;
    rustix::net::sendmsg(&post, &[IoSlice::new(b".")], &mut control, SendFlags::empty())?;
    Ok(done())
}

/// Receives a descriptor.
fn take(stage: &mut Sockets, label: &str) -> Result<Answer, Failure> {
    let Some(mailbox) = &stage.mailbox else {
        return Err(Failure::Fault("the mailbox is not open".to_owned()));
    };
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(mailbox, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let socket: OwnedFd = received.ok_or_else(|| Failure::Fault("no descriptor arrived".to_owned()))?;
    stage.keep(label, socket)
}

/// An answer without a socket.
fn done() -> Answer {
    Answer { pid: std::process::id(), ..Answer::default() }
}
