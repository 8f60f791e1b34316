//! Refusals of portless sockets: AF_UNIX, netlink, vsock and all other families with a bind.
//!
//! Each family has its own bind function, and none of them returns the requested address, so the sockaddr is copied
//! unparsed: the user half knows the families. There is no search for holders here. A refusal is one complete record,
//! sent when the bind returns, and so reported once.

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

/// A sockaddr in memory.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// Address of its first byte.
    pub(crate) at: Ptr,
    /// Its length, as the caller gave it.
    pub(crate) len: u32,
    /// The memory that holds the sockaddr.
    pub(crate) memory: Memory,
}

/// Called when a bind of a portless socket returned `status`.
#[inline(always)]
pub(crate) fn bind_returned(sock: Sock, name: Name, status: i32) {
    let error = status.wrapping_neg() as u32;
    if status < 0 && filter::is_refusal(error) {
        emit(sock, name, error);
    }
}

/// Called when a bind system call returned `status`: handles families without their own hook.
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
    if filter::is_ignored() {
        return;
    }
    count(counter::REFUSED);
    let family = sock.family();
    if !filter::passes_portless(family, sock.netns()) {
        count(counter::FILTERED);
        return;
    }
    // Zero as a value unknown to the compiler: plain zeros in a row would become a call of memset.
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

/// Records the current task's view of the file system. The task may have ended before user space could inspect it.
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
