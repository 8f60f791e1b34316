//! Port state from before tracing began: the processes that had sockets open, and their ports.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use portbind_abi::OpenSocket;

use super::processes::Processes;
use crate::diagnosis::history::History;
use crate::event::{Moment, MomentKind, PortKey, PortTable, Process, SocketId, State};
use crate::host::port_sockets::{PortSocket, Query, ask};
use crate::host::{Host, Netns};

/// Bound sockets of a network namespace, by inode.
type Bound = HashMap<u64, PortSocket>;

/// The processes that had sockets open when tracing began and are not described yet.
#[derive(Debug, Default)]
pub(super) struct StartupSockets {
    /// Inodes by pid.
    left: BTreeMap<u32, Vec<u64>>,
    /// Pids by inode, for all of these processes.
    owners: HashMap<u64, Vec<u32>>,
    /// The namespaces searched so far.
    bound: HashMap<u32, Bound>,
}

impl StartupSockets {
    pub(super) fn of(open: &[OpenSocket]) -> Self {
        let mut seeds = Self::default();
        for socket in open {
            seeds.left.entry(socket.pid).or_default().push(socket.inode);
            let owners = seeds.owners.entry(socket.inode).or_default();
            if !owners.contains(&socket.pid) {
                owners.push(socket.pid);
            }
        }
        seeds
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Describes one process and records its ports. After the last process, all data is freed.
    pub(super) fn describe_next(&mut self, processes: &mut Processes, history: &mut History) {
        let Some((pid, mut inodes)) = self.left.pop_first() else { return };
        inodes.sort_unstable();
        inodes.dedup();
        if let Some(process) = processes.seed(pid) {
            self.sow(&processes.host, &process, &inodes, history);
        }
        if self.left.is_empty() {
            *self = Self::default();
        }
    }

    fn sow(&mut self, host: &Host, process: &Rc<Process>, inodes: &[u64], history: &mut History) {
        let procfs = &host.procfs;
        let Some(netns) = procfs.network_namespace_of(process.pid) else { return };
        let bound = self.bound.entry(netns).or_insert_with(|| bound_in(host, process.pid));
        for socket in inodes.iter().filter_map(|inode| bound.get(inode)) {
            // Of the processes that share the socket, the oldest.
            let owners = self.owners.get(&socket.inode).map_or(&[][..], Vec::as_slice);
            let eldest = owners.iter().min_by_key(|&&pid| (procfs.start_ticks(pid).unwrap_or(u64::MAX), pid));
            if eldest == Some(&process.pid) {
                let key = PortKey { netns, table: PortTable::of(socket.protocol), port: socket.port };
                history.seed(key, moment(socket, process));
            }
        }
    }
}

fn bound_in(host: &Host, pid: u32) -> Bound {
    let sockets = Netns::of_process(&host.procfs, pid);
    let sockets = sockets.and_then(|netns| ask(&host.entrance, &netns, &Query::bound()));
    sockets.unwrap_or_default().into_iter().map(|socket| (socket.inode, socket)).collect()
}

fn moment(socket: &PortSocket, process: &Rc<Process>) -> Moment {
    Moment {
        time: None,
        what: if socket.state == State::Listen {
            MomentKind::Listening
        } else {
            MomentKind::Bound { any: false }
        },
        process: Some(Rc::clone(process)),
        socket: SocketId { object: 0, inode: socket.inode },
        address: socket.address,
        peer: None,
    }
}
