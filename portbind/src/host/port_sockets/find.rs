//! Finds the sockets on a port, and their owners.

use std::collections::{HashMap, HashSet};
use std::io;
use std::rc::Rc;

use super::ask::{ask, interface_names};
use super::copies::{self, Copies};
use super::query::{Protocols, Query};
use super::socket::PortSocket;
use crate::diagnosis::program::never_binds;
use crate::diagnosis::rule::Generation;
use crate::diagnosis::unix::in_the_way;
use crate::event::{Holder, HolderProcess, Process, Protocol};
use crate::host::entrance::Entrance;
use crate::host::listen_address::ListenAddress;
use crate::host::machine::Host;
use crate::host::netns::Netns;
use crate::host::owners::OwnerFds;
use crate::host::socket_units::Kind;
use crate::host::sockets::Scan;
use crate::host::unix_sockets::PortlessSocket;
use crate::order::sort_by_key;

/// The first kernel whose diagnosis reports bound TCP sockets that neither listen nor are connected
/// (TCPF_BOUND_INACTIVE, include/net/tcp_states.h).
const TELLS_BOUND: Generation = Generation::new(6, 8);

/// What remained hidden for lack of privileges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unseen {
    /// The number of processes whose descriptors may not be read, if one of them may have a socket open.
    pub processes: usize,
    /// Bound TCP sockets that neither listen nor are connected: this kernel does not report them, and descriptors may
    /// not be duplicated.
    pub bound_sockets: bool,
}

/// The sockets on a port, with their owners.
#[derive(Debug, Default)]
pub struct PortSockets {
    /// The sockets, the most relevant first.
    pub holders: Vec<Holder>,
    /// Ids of the cgroups that the sockets were made in, by inode number, where the kernel reports them.
    pub cgroups: HashMap<u64, u64>,
    /// What remained hidden.
    pub unseen: Unseen,
}

impl Host {
    /// Finds the sockets on a port; `owners` finds the processes that have them open.
    ///
    /// # Errors
    /// The errors of [`ask`].
    pub fn port_sockets(
        &self,
        netns: &Netns,
        query: &Query,
        owners: impl Fn(&HashSet<u64>) -> Scan,
    ) -> io::Result<PortSockets> {
        let mut sockets = ask(&self.entrance, netns, query)?;
        let mut unseen = Unseen::default();
        if crate::host::kernel_version::generation() < TELLS_BOUND && wants_tcp(query.protocols) {
            let known = sockets.iter().map(|socket| socket.inode).collect();
            let bound = copies::bound(&self.procfs, netns.inode(), query, &known);
            unseen.bound_sockets = bound.is_partial;
            sockets.extend(bound.sockets);
        }
        let cgroups = sockets.iter().filter_map(|socket| Some((socket.inode, socket.cgroup?))).collect();
        let mut holders: Vec<Holder> = sockets.iter().map(PortSocket::holder).collect();
        unseen.processes = self.add_owners(&mut holders, owners);
        name_interfaces(&self.entrance, netns, &mut holders);
        Ok(PortSockets { cgroups, ..PortSockets::new(holders, unseen) })
    }

    /// Adds the owners to sockets that are known already.
    pub fn behind(&self, sockets: &[PortSocket], owners: impl Fn(&HashSet<u64>) -> Scan) -> Vec<Holder> {
        let mut holders: Vec<Holder> = sockets.iter().map(PortSocket::holder).collect();
        self.add_owners(&mut holders, owners);
        holders
    }

    /// Finds the owners of AF_UNIX sockets.
    pub fn portless_sockets(
        &self,
        sockets: Vec<PortlessSocket>,
        owners: impl Fn(&HashSet<u64>) -> Scan,
    ) -> PortSockets {
        let mut holders = in_the_way(sockets.into_iter().map(PortlessSocket::holder).collect());
        let processes = self.add_owners(&mut holders, owners);
        PortSockets::new(holders, Unseen { processes, bound_sockets: false })
    }

    /// Adds the owners of the sockets; returns the number of processes that may not be read, if an owner may be
    /// missing.
    fn add_owners(&self, holders: &mut [Holder], owners: impl Fn(&HashSet<u64>) -> Scan) -> usize {
        let inodes: HashSet<u64> = holders.iter().filter_map(|holder| holder.inode).collect();
        let scan = if inodes.is_empty() { Scan::default() } else { owners(&inodes) };
        self.add_people(holders, &scan);
        if holders.iter().any(Holder::is_of_the_past) { scan.unreadable } else { 0 }
    }

    /// Adds the owners of each socket, and the options read through an owner's descriptor.
    fn add_people(&self, holders: &mut [Holder], scan: &Scan) {
        let mut known: HashMap<u32, Option<Rc<Process>>> = HashMap::new();
        let mut copies = Copies::default();
        for holder in holders {
            holder.user = holder.uid.and_then(|uid| self.users.name(uid));
            let Some(inode) = holder.inode else { continue };
            for OwnerFds { pid, fds, .. } in scan.owners.get(&inode).into_iter().flatten() {
                let process = known.entry(*pid).or_insert_with(|| self.describe(*pid).map(Rc::new));
                // The process has ended since.
                let Some(process) = process else { continue };
                let mut process = Rc::clone(process);
                if let Some(unit) = self.socket_unit(&process, holder) {
                    Rc::make_mut(&mut process).unit = Some(unit);
                }
                // Only a program that binds no ports can be known to have inherited its socket.
                let fd = fds.first().filter(|_| never_binds(&process));
                let close_on_exec = fd.and_then(|fd| self.procfs.close_on_exec(*pid, *fd));
                holder.processes.push(HolderProcess { process, fds: fds.clone(), close_on_exec });
            }
            let first =
                holder.processes.first().and_then(|owner| Some((owner.process.pid, *owner.fds.first()?)));
            if let Some(options) = first.and_then(|(pid, fd)| copies.options(pid, fd, inode)) {
                holder.options = options;
                holder.options_known = true;
            }
        }
    }

    /// The socket unit for which systemd has this holder open.
    #[must_use]
    pub fn socket_unit(&self, process: &Process, holder: &Holder) -> Option<String> {
        let kind = match holder.protocol {
            Protocol::Tcp | Protocol::Mptcp => Kind::Stream,
            Protocol::Udp | Protocol::Udplite => Kind::Datagram,
            _ => return None,
        };
        let bound = ListenAddress::Internet(Some(holder.address), holder.port);
        self.socket_units().held_by(process, kind, &bound)
    }
}

fn wants_tcp(protocols: Protocols) -> bool {
    protocols.wants(Protocol::Tcp)
}

fn name_interfaces(entrance: &Entrance, netns: &Netns, holders: &mut [Holder]) {
    let mut interfaces: Vec<_> = holders.iter_mut().filter_map(|holder| holder.interface.as_mut()).collect();
    if interfaces.is_empty() {
        return;
    }
    let indices: Vec<u32> = interfaces.iter().map(|interface| interface.index).collect();
    for (interface, name) in interfaces.iter_mut().zip(interface_names(entrance, netns, &indices)) {
        interface.name = name;
    }
}

impl PortSockets {
    fn new(mut holders: Vec<Holder>, unseen: Unseen) -> Self {
        sort_by_key(&mut holders, Holder::rank);
        Self { holders, cgroups: HashMap::new(), unseen }
    }
}
