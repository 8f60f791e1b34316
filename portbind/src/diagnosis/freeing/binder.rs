//! Which of the processes that have a socket open bound it, and which were merely handed it.
//!
//! A descriptor can be handed to any process that receives one (SCM_RIGHTS, unix(7)), whether that process wants it or
//! not. So a process is stopped only if nothing shows that it was handed the socket, and if all such processes are one
//! family. Two rules follow:
//!
//! - Where an unprivileged user made the socket, only processes that this user could signal itself (kill(2)) are
//!   stopped: whom it hands the socket to, portbind does not stop in its place. Root's sockets say nothing by their
//!   user, because daemons bind as root and change their user afterwards.
//! - A process outside the control group that the socket was made in is not stopped: it was handed the socket, or was
//!   moved since. So the control group takes a process out of the tree that is stopped, and never chooses between two
//!   trees: who binds, hands the socket over and is moved leaves the receiver alone in the control group of the socket.
//!
//! A connection that a listener has accepted has no binder of its own: only the tree that bound the listener is stopped
//! for it.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::event::{HolderProcess, Process};

/// Descriptors of one process that are compared with those of its siblings.
const COMPARED_FDS: usize = 8;

/// Who made a socket, as the kernel keeps it with the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The user (`sk_uid` in include/net/sock.h: the file system user id of the process that called socket(2)).
    pub uid: Option<u32>,
    /// Id of the control group of that process (INET_DIAG_CGROUP_ID, 5.9 and later).
    pub cgroup: Option<u64>,
}

/// What tells whether a process can have made a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Real and saved user id: those that kill(2) compares with the user of the sender. Empty if unknown.
    pub uids: Vec<u32>,
    /// The user that is root in the process' user namespace, if that is another one than this program's: servers in it
    /// bind as its root, and change their user afterwards.
    pub namespace_root: Option<u32>,
    /// Session (setsid(2)).
    pub session: Option<u32>,
    /// Ids of the process' control group and of those above it, nearest first. Empty if unknown.
    pub cgroups: Vec<u64>,
    /// Its parent takes in what others leave behind, or cannot have forked it.
    pub is_orphan: bool,
}

/// What shows that a process was handed a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Another user made the socket: this one.
    User(u32),
    /// It was made in another control group. The process may have been moved as well.
    Cgroup,
    /// It is a connection, and the process is not of the tree that bound the listener.
    Accepted,
}

/// A process that has the socket open.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The process, and its descriptors of the socket.
    pub owner: &'a HolderProcess,
    /// What tells whether it can have made the socket.
    pub standing: Standing,
}

/// Who bound a socket, as indices of the members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The family that bound it; empty if that cannot be decided, or if all were handed it.
    pub binders: Vec<usize>,
    /// Those that were handed it.
    pub handed: Vec<(usize, Sign)>,
    /// Processes of several families, of which one bound it.
    pub undecided: Vec<usize>,
}

impl Origin {
    /// What shows that a process was handed the socket, if anything does.
    #[must_use]
    pub fn sign(&self, standing: &Standing) -> Option<Sign> {
        if let Some(uid) = self.uid.filter(|&uid| uid != 0 && !standing.may_be(uid)) {
            return Some(Sign::User(uid));
        }
        let is_elsewhere = |cgroup| !standing.cgroups.is_empty() && !standing.cgroups.contains(&cgroup);
        self.cgroup.is_some_and(is_elsewhere).then_some(Sign::Cgroup)
    }
}

impl Standing {
    /// The process runs as this user, or may have been this user: the root of its user namespace. That one can
    /// signal everybody in it.
    fn may_be(&self, uid: u32) -> bool {
        self.uids.contains(&uid) || self.namespace_root == Some(uid)
    }
}

/// Decides who bound a socket.
#[must_use]
pub fn decide(origin: &Origin, members: &[Member<'_>]) -> Decision {
    let mut decision = Decision::default();
    let (mut candidates, mut elsewhere) = (Vec::new(), Vec::new());
    for (index, member) in members.iter().enumerate() {
        match origin.sign(&member.standing) {
            None => candidates.push(index),
            Some(Sign::Cgroup) => elsewhere.push(index),
            Some(sign) => decision.handed.push((index, sign)),
        }
    }
    let all = [&candidates[..], &elsewhere].concat();
    // A tree elsewhere can have bound the socket, and can have been moved since.
    let is_decided =
        candidates.is_empty() || is_one_family(&candidates, members) && is_one_family(&all, members);
    if is_decided {
        decision.binders = candidates;
        decision.handed.extend(elsewhere.into_iter().map(|index| (index, Sign::Cgroup)));
    } else {
        decision.undecided = all;
    }
    decision
}

/// Decides who has a connection because it is of the tree that bound the listener.
#[must_use]
pub fn decide_accepted(origin: &Origin, members: &[Member<'_>], listening: &BTreeSet<u32>) -> Decision {
    let mut decision = Decision::default();
    for (index, member) in members.iter().enumerate() {
        let stranger = (!member.descends_from(listening)).then_some(Sign::Accepted);
        match origin.sign(&member.standing).or(stranger) {
            None => decision.binders.push(index),
            Some(sign) => decision.handed.push((index, sign)),
        }
    }
    decision
}

/// Whether all of these processes descend from one of them, or are the orphans that one process left.
fn is_one_family(candidates: &[usize], members: &[Member<'_>]) -> bool {
    let mut families = Families::new(members.len());
    join_descendants(candidates, members, &mut families);
    join_orphans(candidates, members, &mut families);
    let mut roots = candidates.iter().map(|&index| families.root(index));
    let first = roots.next();
    roots.all(|root| Some(root) == first)
}

/// A process joins the nearest process above it that has the socket open. Process 1 joins nobody: whatever lost its
/// parent is below it.
fn join_descendants(candidates: &[usize], members: &[Member<'_>], families: &mut Families) {
    let process = |&index: &usize| Some((members.get(index)?.process().pid, index));
    let by_pid: HashMap<u32, usize> =
        candidates.iter().filter_map(process).filter(|(pid, _)| *pid > 1).collect();
    for &index in candidates {
        let above = members.get(index).into_iter().flat_map(|member| &member.process().ancestors);
        if let Some(&parent) = above.filter_map(|ancestor| by_pid.get(&ancestor.pid)).next() {
            families.join(index, parent);
        }
    }
}

/// Orphans with one parent that run the same program with the same arguments and descriptors, in one session: the
/// parent that they had bound the socket, and has ended. Whoever was forked by a parent that lives, and that does not have
/// the socket, can have got it in any way.
fn join_orphans(candidates: &[usize], members: &[Member<'_>], families: &mut Families) {
    let mut first_of: HashMap<_, usize> = HashMap::new();
    for &index in candidates {
        let Some(member) = members.get(index).filter(|member| member.standing.is_orphan) else { continue };
        for &fd in member.owner.fds.iter().take(COMPARED_FDS) {
            let Some(trait_) = member.family_trait() else { continue };
            let first = *first_of.entry((trait_, fd)).or_insert(index);
            families.join(index, first);
        }
    }
}

impl<'a> Member<'a> {
    fn process(&self) -> &'a Rc<Process> {
        &self.owner.process
    }

    /// It is one of these processes, or below one. Process 1 is above everybody and tells nothing.
    fn descends_from(&self, pids: &BTreeSet<u32>) -> bool {
        let process = self.process();
        let above = process.ancestors.iter().map(|ancestor| ancestor.pid).filter(|&pid| pid > 1);
        std::iter::once(process.pid).chain(above).any(|pid| pids.contains(&pid))
    }

    /// What the children of one process have in common that were forked and did nothing else.
    fn family_trait(&self) -> Option<impl Eq + std::hash::Hash + use<'_>> {
        let Standing { uids, session, cgroups, .. } = &self.standing;
        let process = self.process();
        let parent = process.ancestors.first()?.pid;
        let program = process.exe.as_deref().filter(|_| !process.args.is_empty())?;
        Some((parent, (*session)?, uids, cgroups.first(), program, &process.args))
    }
}

/// Sets of processes, as a forest.
struct Families {
    above: Vec<usize>,
}

impl Families {
    fn new(count: usize) -> Self {
        Self { above: (0..count).collect() }
    }

    fn root(&mut self, index: usize) -> usize {
        let mut root = index;
        while let Some(&above) = self.above.get(root).filter(|&&above| above != root) {
            root = above;
        }
        // Makes the next search short.
        if let Some(above) = self.above.get_mut(index) {
            *above = root;
        }
        root
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(above) = self.above.get_mut(one) {
            *above = other;
        }
    }
}

#[cfg(test)]
#[path = "binder_tests.rs"]
mod tests;
