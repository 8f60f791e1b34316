//! Refusals of sockets whose names are no ports: AF_UNIX, netlink, vsock and whatever else can be bound.
//!
//! Their binds are decided by functions of their own, none of which gives back what it was asked for, so
//! the sockaddr is copied as it is: the user half knows the families. Nobody is searched for here. A whole
//! refusal is one record, sent where the bind returns, and so reported once.

use portbind_abi::{FileView, Portless, RING_HEADER_LEN, counter, kind};

use crate::caller::{self, Caller};
use crate::filter;
use crate::kernel::clock::boot_time;
use crate::kernel::counters::count;
use crate::kernel::globals::at;
use crate::kernel::memory::{Memory, Ptr, copy};
use crate::kernel::ring::Slot;
use crate::kernel::task::current_task;
use crate::kernel::volatile::opaque;
use crate::record::header;
use crate::sock::asked::Asked;
use crate::sock::handle::Sock;
use crate::sock::numbers::{AF_NETLINK, AF_UNIX};
use crate::storm;

/// A sockaddr, where it lies.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// Its first byte.
    pub(crate) at: Ptr,
    /// How many there are, as the caller says.
    pub(crate) len: u32,
    /// Whose address it is.
    pub(crate) memory: Memory,
}

/// A bind of a socket without a port returned `status`.
#[inline(always)]
pub(crate) fn bind_returned(sock: Sock, name: Name, status: i32) {
    let error = status.wrapping_neg() as u32;
    if status < 0 && filter::is_refusal(error) {
        emit(sock, name, error);
    }
}

/// A bind system call returned `status`: of families without a hook of their own.
#[inline(always)]
pub(crate) fn system_bind_returned(sock: Sock, name: Name, status: i32) {
    if has_no_hook(sock) {
        bind_returned(sock, name, status);
    }
}

/// Whether only the system call shows binds of this socket's family.
#[inline(always)]
pub(crate) fn has_no_hook(sock: Sock) -> bool {
    let family = sock.family();
    !sock.0.is_null() && !sock.is_internet() && family != AF_UNIX && family != AF_NETLINK
}

/// Counts a refusal and, if it is wanted, sends it.
#[inline(always)]
pub(crate) fn emit(sock: Sock, name: Name, error: u32) {
    count(counter::REFUSED);
    let family = sock.family();
    if !filter::passes_portless(family, sock.netns()) {
        count(counter::FILTERED);
        return;
    }
    // As a value that the compiler does not know: a row of plain zeros would become a call of memset.
    let zero = opaque(0) as u32;
    let asked = Asked {
        time: boot_time(),
        sock,
        family,
        address: [zero; 4],
        port: 0,
        protocol: sock.protocol(),
        netns: sock.netns(),
    };
    let caller = caller::current();
    let is_sent = storm::admits(&caller, (RING_HEADER_LEN + size_of::<Portless>()) as u32)
        && send(&asked, &caller, name, error);
    if !is_sent {
        storm::count_of_process(&asked, &caller);
    }
}

/// Sends a refusal; `false` if there is no room for it.
#[inline(always)]
fn send(asked: &Asked, caller: &Caller, name: Name, error: u32) -> bool {
    caller::introduce(caller, asked.time);
    let Some(mut record) = Slot::<Portless>::reserve() else { return false };
    header(&mut record.header, kind::PORTLESS, asked.time);
    caller::identify(&mut record.identity, &caller.process);
    describe_view(&mut record.view);
    asked.sock.describe_portless(&mut record.socket, asked.family);
    record.error = error;
    record.name_len = copy(&mut record.name, name.at, name.len, name.memory);
    record.submit();
    true
}

/// Says what the current task sees of the file system. It may have ended when user space could look there.
#[inline(always)]
fn describe_view(to: &mut FileView) {
    let task = current_task();
    let fs = task.follow(at!(task_fs));
    (to.folder, to.folder_device) = file(fs.follow(at!(fs_pwd_dentry)));
    (to.root, to.root_device) = file(fs.follow(at!(fs_root_dentry)));
    to.mounts = task.follow(at!(task_nsproxy)).follow(at!(nsproxy_mnt_ns)).read(at!(mnt_namespace_inum));
    to.reserved = 0;
}

/// Inode number and device of a directory entry.
#[inline(always)]
fn file(dentry: Ptr) -> (u64, u32) {
    let inode = dentry.follow(at!(dentry_inode));
    (inode.read(at!(inode_ino)), inode.follow(at!(inode_sb)).read(at!(super_dev)))
}
