//! Sockets that are still bound when the command has ended.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::event::{Family, Holder, Leak, Moment, PortKey, PortTable, Protocol, State};
use crate::host::clock::boot_time;
use crate::host::netns::Netns;
use crate::host::port_sockets::{PortSocket, Query};
use crate::host::sockets::Scan;
use crate::host::{Host, SocketOwners};
use crate::order::collect_sorted;
use crate::session::{Engine, Error, Sink};

/// How long ending descendants are waited for: a command often ends before its servers do.
const GRACE: Duration = Duration::from_millis(300);
/// The interval at which they are polled.
const PAUSE: Duration = Duration::from_millis(10);

/// Finds the sockets that are still bound after ending descendants have ended.
///
/// Only descendants that are the command's own (`is_own`) count.
pub(crate) async fn find(
    engine: &mut Engine<impl Sink>,
    host: &Host,
    is_own: &impl Fn(&u32) -> bool,
) -> Result<Vec<Leak>, Error> {
    let deadline = Instant::now() + GRACE;
    loop {
        engine.catch_up()?;
        let leaks = scan(engine, host, is_own);
        if leaks.is_empty() || Instant::now() >= deadline {
            return Ok(leaks);
        }
        sleep(PAUSE).await;
    }
}

fn scan(engine: &Engine<impl Sink>, host: &Host, is_own: &impl Fn(&u32) -> bool) -> Vec<Leak> {
    let members: HashSet<u32> = engine.descendants().into_iter().filter(is_own).collect();
    if members.is_empty() {
        return Vec::new();
    }
    let scan = SocketOwners::new(host.procfs.clone()).scan_where(&|_| true).unwrap_or_default();
    let time = host.clock.at(boot_time());
    let of_members = |inodes: &HashSet<u64>| only(&scan, inodes, &members);
    let mut found: Vec<(u32, Holder)> = Vec::new();
    let namespaces = namespaces(host, &members);
    for (netns, namespace) in &namespaces {
        let Ok(sockets) = host.port_sockets(namespace, &Query::bound(), of_members) else { continue };
        found.extend(sockets.holders.into_iter().map(|holder| (*netns, holder)));
    }
    let known: HashSet<u64> = found.iter().filter_map(|(_, holder)| holder.inode).collect();
    let is_theirs = |inode| {
        let owners = scan.owners.get(&inode);
        owners.is_some_and(|owners| owners.iter().any(|owner| members.contains(&owner.pid)))
    };
    let is_missing = |(key, moment): &(PortKey, &Moment)| {
        key.table == PortTable::Tcp
            && namespaces.contains_key(&key.netns)
            && !known.contains(&moment.socket.inode)
    };
    let bound =
        engine.history().bound().filter(is_missing).filter(|(_, moment)| is_theirs(moment.socket.inode));
    let (numbers, bound): (Vec<u32>, Vec<PortSocket>) =
        bound.map(|(key, moment)| (key.netns, as_bound(key, moment))).unzip();
    found.extend(numbers.into_iter().zip(host.behind(&bound, of_members)));
    let held = found.into_iter().filter(|(_, holder)| !holder.processes.is_empty());
    let leaks = held.filter_map(|(netns, holder)| Some((netns, as_leak(engine, netns, holder)?)));
    leaks.map(|(netns, socket)| Leak { time, netns, socket }).collect()
}

/// A TCP socket that was seen being bound. Before 6.8 the kernel's sock_diag omits sockets that are only bound
/// (TCPF_BOUND_INACTIVE, include/net/tcp_states.h), and a process without its former rights cannot inspect the socket
/// itself.
const fn as_bound(key: PortKey, moment: &Moment) -> PortSocket {
    PortSocket {
        protocol: Protocol::Tcp,
        family: if moment.address.is_ipv6() { Family::Inet6 } else { Family::Inet },
        state: State::Bound,
        is_time_wait: false,
        address: moment.address,
        port: key.port,
        peer: None,
        interface: 0,
        time_wait_left_ms: None,
        backlog: None,
        uid: 0,
        inode: moment.socket.inode,
        v6_only: false,
        cgroup: None,
    }
}

/// A socket with its opener; `None` for a UDP socket whose bind was not seen: its port comes from a first datagram, as
/// every UDP client's does, and blocks other sockets only briefly.
fn as_leak(engine: &Engine<impl Sink>, netns: u32, mut socket: Holder) -> Option<Holder> {
    let key = PortKey { netns, table: PortTable::of(socket.protocol), port: socket.port };
    match engine.history().opening(key, socket.id) {
        Some(opening) => {
            socket.opened_by.clone_from(&opening.process);
            socket.since = opening.time;
        }
        None if !matches!(socket.protocol, Protocol::Tcp | Protocol::Mptcp) => return None,
        None => {}
    }
    Some(socket)
}

/// The network namespaces of the processes.
fn namespaces(host: &Host, pids: &HashSet<u32>) -> BTreeMap<u32, Netns> {
    let namespace = |pid: &u32| {
        let file = File::open(host.procfs.root().join(format!("{pid}/ns/net"))).ok()?;
        let namespace = Netns::of(&host.procfs, file.into()).ok()?;
        Some((namespace.inode(), namespace))
    };
    collect_sorted(pids.iter().filter_map(namespace))
}

/// Keeps the owners of sockets that are among `pids`.
fn only(scan: &Scan, inodes: &HashSet<u64>, pids: &HashSet<u32>) -> Scan {
    let of_inode = |inode: &u64| {
        let owners = scan.owners.get(inode)?.iter().filter(|owner| pids.contains(&owner.pid));
        Some((*inode, owners.cloned().collect::<Vec<_>>())).filter(|(_, owners)| !owners.is_empty())
    };
    Scan { owners: inodes.iter().filter_map(of_inode).collect(), unreadable: scan.unreadable }
}
