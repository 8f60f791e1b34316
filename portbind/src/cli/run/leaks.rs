//! Sockets that are still bound when the command has ended.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::collector::Collector;
use crate::cli::error::Error;
use crate::event::{Holder, Leak, PortKey, PortTable, Protocol};
use crate::host::clock::boot_time;
use crate::host::netns::Netns;
use crate::host::port_sockets::Query;
use crate::host::sockets::Scan;
use crate::host::{Host, SocketOwners};
use crate::session::Engine;

/// How long descendants that are about to end may take for it: a command often ends before its servers do.
const GRACE: Duration = Duration::from_millis(300);
/// How often they are looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// Finds them, when what is about to end has ended.
pub(super) async fn find(engine: &mut Engine<Collector>, host: &Host) -> Result<Vec<Leak>, Error> {
    let deadline = Instant::now() + GRACE;
    loop {
        engine.catch_up()?;
        let leaks = look(engine, host);
        if leaks.is_empty() || Instant::now() >= deadline {
            return Ok(leaks);
        }
        sleep(PAUSE).await;
    }
}

fn look(engine: &Engine<Collector>, host: &Host) -> Vec<Leak> {
    let members: HashSet<u32> = engine.family().into_iter().collect();
    if members.is_empty() {
        return Vec::new();
    }
    let scan = SocketOwners::new(host.procfs.clone()).scan_where(&|_| true).unwrap_or_default();
    let time = host.clock.at(boot_time());
    let mut leaks = Vec::new();
    for (netns, namespace) in namespaces(host, &members) {
        let of_members = |inodes: &HashSet<u64>| only(&scan, inodes, &members);
        let Ok(found) = host.port_sockets(&namespace, &Query::bound(), of_members) else { continue };
        let held = found.holders.into_iter().filter(|holder| !holder.processes.is_empty());
        leaks.extend(held.filter_map(|socket| as_leak(engine, netns, socket)).map(|socket| Leak {
            time,
            netns,
            socket,
        }));
    }
    leaks
}

/// A socket with who opened it. One of UDP that nobody was seen to bind has its port from a first datagram,
/// as every client has: it stands in nobody's way for long.
fn as_leak(engine: &Engine<Collector>, netns: u32, mut socket: Holder) -> Option<Holder> {
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

/// The network namespaces that processes live in.
fn namespaces(host: &Host, pids: &HashSet<u32>) -> BTreeMap<u32, Netns> {
    let namespace = |pid: &u32| {
        let file = File::open(host.procfs.root().join(format!("{pid}/ns/net"))).ok()?;
        let namespace = Netns::of(&host.procfs, file.into()).ok()?;
        Some((namespace.inode(), namespace))
    };
    pids.iter().filter_map(namespace).collect()
}

/// Of the owners of sockets those that are among `pids`.
fn only(scan: &Scan, inodes: &HashSet<u64>, pids: &HashSet<u32>) -> Scan {
    let of_inode = |inode: &u64| {
        let owners = scan.owners.get(inode)?.iter().filter(|owner| pids.contains(&owner.pid));
        Some((*inode, owners.cloned().collect::<Vec<_>>())).filter(|(_, owners)| !owners.is_empty())
    };
    Scan { owners: inodes.iter().filter_map(of_inode).collect(), unreadable: scan.unreadable }
}
