//! The owners of the sockets on the port; if there are too many, the most relevant ones.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::asker::Asker;
use super::{Enricher, limits};
use crate::event::{Holder, HolderProcess, Ownership, Process};
use crate::host::OwnerFds;
use crate::host::clock::boot_time;
use crate::kernel::assemble::Evidence;
use crate::kernel::evidence;
use crate::order::sort_by_key;

impl Enricher {
    /// Finds the owners of the holders and describes some of them.
    pub(super) fn find_owners(&mut self, holders: &mut [Holder], netns: u32, asker: Asker<'_>, now: Instant) {
        let inodes: HashSet<u64> = holders.iter().filter_map(|holder| holder.inode).collect();
        let age = Duration::from_nanos(boot_time().saturating_sub(asker.refused));
        let at = now.checked_sub(age).unwrap_or(now);
        if !inodes.is_empty() {
            self.owners.ask(&inodes, at, now);
        }
        let mut left = limits::PROCESSES;
        for holder in holders {
            self.name_interface(netns, &mut holder.interface, now);
            holder.user = holder.uid.and_then(|uid| self.processes.host.users.name(uid));
            let Some(inode) = holder.inode else { continue };
            if holder.ownership == Ownership::Process
                && let Some(opener) = &holder.opened_by
            {
                self.owners.ask_opener(inode, opener.pid);
            }
            let (owners, more) = self.choose(inode, holder, asker, left);
            holder.more_processes = more;
            left = left.saturating_sub(owners.len());
            for owner in owners {
                let opener = holder.opened_by.as_ref().filter(|opener| opener.pid == owner.pid);
                // An owner that ended since it was found keeps the description recorded earlier.
                let known = opener.or_else(|| (owner.pid == asker.process.pid).then_some(asker.process));
                let alive = self.processes.alive(owner.pid, now);
                let whole = alive.clone().filter(|process| !process.comm.is_empty());
                let process = whole.or_else(|| known.map(Rc::clone)).or(alive);
                let unknown = || Rc::new(Process { pid: owner.pid, tid: owner.pid, ..Process::default() });
                let mut process = process.unwrap_or_else(unknown);
                if let Some(unit) = self.processes.host.socket_unit(&process, holder) {
                    Rc::make_mut(&mut process).unit = Some(unit);
                }
                holder.processes.push(HolderProcess { process, fds: owner.fds, close_on_exec: None });
            }
        }
    }

    /// Adds the caller to the holders that it had open itself at the refusal: since then, it may have ended or closed
    /// them.
    pub(super) fn add_caller(holders: &mut [Holder], evidence: &Evidence, caller: &Rc<Process>) {
        for (inode, fd) in evidence::own_sockets(evidence) {
            let is_of = |owner: &HolderProcess| owner.process.pid == caller.pid;
            let missing = holders
                .iter_mut()
                .filter(|holder| holder.inode == Some(inode) && !holder.processes.iter().any(is_of));
            for holder in missing {
                let process = Rc::clone(caller);
                holder.processes.push(HolderProcess { process, fds: vec![fd], close_on_exec: None });
                sort_by_key(&mut holder.processes, |owner| owner.process.pid);
            }
        }
    }

    /// The owners of a socket to describe (at most `left`), by pid, and the number of the remaining ones. The caller
    /// and the opener have priority, because the cause depends on them.
    fn choose(&self, inode: u64, holder: &Holder, asker: Asker<'_>, left: usize) -> (Vec<OwnerFds>, u64) {
        let found = || self.owners.owners(inode);
        // Owners started after the refusal got a copy later; they count only if no other owner is left.
        let was_there = |owner: &&OwnerFds| owner.started.is_none_or(|started| started <= asker.refused);
        let some_were = found().any(|owner| was_there(&owner));
        let all = || found().filter(|owner| !some_were || was_there(owner));
        let opener = holder.opened_by.as_ref().map(|opener| opener.pid);
        let matters = |owner: &&OwnerFds| owner.pid == asker.process.pid || Some(owner.pid) == opener;
        let first = all().filter(matters).chain(all().filter(|owner| !matters(owner)));
        let mut chosen: Vec<OwnerFds> =
            first.take(limits::PROCESSES_OF_SOCKET.min(left)).map(limits::some_descriptors).collect();
        sort_by_key(&mut chosen, |owner| owner.pid);
        let more = (all().count() + self.owners.more(inode)).saturating_sub(chosen.len());
        (chosen, u64::try_from(more).unwrap_or(u64::MAX))
    }
}
