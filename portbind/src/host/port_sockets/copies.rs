//! Facts that only the socket itself provides: its descriptor is duplicated from an owner (pidfd_getfd(2), 5.6 and
//! later; requires the right to ptrace the owner), queried, and closed again.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::fs::fstat;
use rustix::net::{AddressFamily, SocketType, getpeername, getsockname, ipproto, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::query::Query;
use super::socket::PortSocket;
use crate::event::{Family, Options, Protocol, State};
use crate::host::procfs::Procfs;
use crate::host::sockets::{Scan, SocketOwners};

/// Duplicates of descriptors of other processes.
#[derive(Debug, Default)]
pub(super) struct Copies {
    processes: HashMap<u32, Option<OwnedFd>>,
}

impl Copies {
    /// A duplicate of a socket; `None` if the process may not be accessed, or the descriptor no longer refers to the
    /// socket.
    fn of(&mut self, pid: u32, fd: u32, inode: u64) -> Option<OwnedFd> {
        let open = || {
            let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
            pidfd_open(pid, PidfdFlags::empty()).ok()
        };
        let process = self.processes.entry(pid).or_insert_with(open).as_ref()?;
        let copy = pidfd_getfd(process, i32::try_from(fd).ok()?, PidfdGetfdFlags::empty()).ok()?;
        (fstat(&copy).ok()?.st_ino == inode).then_some(copy)
    }

    /// The options of a socket that decide conflicts; the kernel's diagnosis reports none of them.
    pub(super) fn options(&mut self, pid: u32, fd: u32, inode: u64) -> Option<Options> {
        options(&self.of(pid, fd, inode)?)
    }
}

fn options(socket: &OwnedFd) -> Option<Options> {
    Some(Options {
        reuse_address: sockopt::socket_reuseaddr(socket).ok()?,
        reuse_port: sockopt::socket_reuseport(socket).ok()?,
        v6_only: sockopt::ipv6_v6only(socket).unwrap_or(false),
    })
}

/// The result of the search for sockets that the kernel's diagnosis omits.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// The sockets.
    pub(super) sockets: Vec<PortSocket>,
    /// The sockets of some process may not be accessed.
    pub(super) is_partial: bool,
}

/// Bound TCP sockets that neither listen nor are connected: the kernel's diagnosis omits them before 6.8. The search
/// covers every socket of the processes that are in the namespace now; a socket that such a process opened in another
/// namespace is attributed to this one.
pub(super) fn bound(procfs: &Procfs, netns: u32, query: &Query, known: &HashSet<u64>) -> Bound {
    let Ok(Scan { owners, unreadable }) =
        SocketOwners::new(procfs.clone()).scan_where(&|inode| !known.contains(&inode))
    else {
        return Bound { sockets: Vec::new(), is_partial: true };
    };
    let mut copies = Copies::default();
    let mut bound = Bound { sockets: Vec::new(), is_partial: unreadable > 0 };
    let mut is_there = HashMap::new();
    for (inode, owners) in owners {
        let mut is_in = |pid: u32| {
            *is_there
                .entry(pid)
                .or_insert_with(|| procfs.namespace_of(&pid.to_string(), "net") == Some(netns))
        };
        let Some(owner) = owners.iter().find(|owner| is_in(owner.pid)) else { continue };
        let Some(&fd) = owner.fds.first() else { continue };
        match copies.of(owner.pid, fd, inode) {
            Some(copy) => bound.sockets.extend(read(&copy, inode).filter(|socket| query.takes(socket))),
            None => bound.is_partial = true,
        }
    }
    bound
}

/// Reads a TCP socket, if it is bound and neither listens nor is connected.
fn read(socket: &OwnedFd, inode: u64) -> Option<PortSocket> {
    let family = match sockopt::socket_domain(socket).ok()? {
        AddressFamily::INET => Family::Inet,
        AddressFamily::INET6 => Family::Inet6,
        _ => return None,
    };
    let is_tcp = sockopt::socket_type(socket).ok()? == SocketType::STREAM
        && sockopt::socket_protocol(socket).ok()? == Some(ipproto::TCP);
    if !is_tcp || sockopt::socket_acceptconn(socket).ok()? || getpeername(socket).is_ok() {
        return None;
    }
    let local = SocketAddr::try_from(getsockname(socket).ok()?).ok()?;
    Some(PortSocket {
        protocol: Protocol::Tcp,
        family,
        state: State::Bound,
        is_time_wait: false,
        address: local.ip(),
        port: local.port(),
        peer: None,
        interface: 0,
        time_wait_left_ms: None,
        backlog: None,
        uid: fstat(socket).ok()?.st_uid,
        inode,
        v6_only: sockopt::ipv6_v6only(socket).unwrap_or(false),
        cgroup: None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::os::fd::AsRawFd as _;

    use rustix::net::{SocketFlags, bind, socket_with};

    use super::*;
    use crate::host::port_sockets::Protocols;

    #[test]
    fn a_bound_socket_is_seen_by_its_descriptor() {
        let socket =
            socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        sockopt::set_socket_reuseaddr(&socket, true).unwrap();
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap().port();
        let inode = fstat(&socket).unwrap().st_ino;
        let procfs = Procfs::new();
        let netns = procfs.own_network_namespace().unwrap();
        let query = Query::port(port, Protocols::One(Protocol::Tcp));
        let find = |known: &HashSet<u64>| bound(&procfs, netns, &query, known).sockets;
        let found = find(&HashSet::new());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].inode, found[0].port, found[0].state), (inode, port, State::Bound));
        assert!(find(&HashSet::from([inode])).is_empty());
        let fd = u32::try_from(socket.as_raw_fd()).unwrap();
        let shown = Copies::default().options(std::process::id(), fd, inode);
        let expected = Options { reuse_address: true, ..Options::default() };
        assert_eq!(shown, Some(expected));
        assert_eq!(Copies::default().options(std::process::id(), fd, inode + 1), None);
    }
}
