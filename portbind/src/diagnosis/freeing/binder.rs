//! Which of the processes that have a socket open bound it, and which ones were handed it.
//!
//! Any process can receive a descriptor (SCM_RIGHTS, unix(7)), even one that it does not want. So a process is stopped
//! only if nothing shows that it was handed the socket, and if all such processes form one process tree. Two rules
//! follow:
//!
//! - If an unprivileged user made the socket, only processes that this user could signal itself (kill(2)) are stopped:
//!   otherwise a user could hand its socket to another user's process and have portbind stop that process. For sockets
//!   made by root the user proves nothing, because daemons bind as root and change their user afterwards.
//! - A process outside the cgroup that the socket was made in is not stopped: it was handed the socket, or was moved
//!   since. So the cgroup only excludes processes from the tree that is stopped; it never chooses between two trees.
//!   Otherwise a binder that hands the socket over and is then moved would leave the receiver as the only process in
//!   the socket's cgroup.
//!
//! An accepted connection has no binder of its own: only the tree that bound its listener is stopped for it.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::event::{HolderProcess, Process};

/// Descriptors of a process that are compared with its siblings' descriptors.
const COMPARED_FDS: usize = 8;

/// The origin of a socket, as the kernel stores it in the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// User id (`sk_uid` in include/net/sock.h: the file system user id of the process that called socket(2)).
    pub uid: Option<u32>,
    /// Id of that process's cgroup (INET_DIAG_CGROUP_ID, 5.9 and later).
    pub cgroup: Option<u64>,
}

/// The facts that decide whether a process can have made a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Real and saved user id, which kill(2) compares with the sender's user. Empty if unknown.
    pub uids: Vec<u32>,
    /// The user that is root in the process's user namespace, if portbind runs in another one: servers in the namespace
    /// bind as its root and change their user afterwards.
    pub namespace_root: Option<u32>,
    /// Session (setsid(2)).
    pub session: Option<u32>,
    /// Ids of the process's cgroup and its ancestors, nearest first. Empty if unknown.
    pub cgroups: Vec<u64>,
    /// Its parent adopts orphans, or cannot have forked it.
    pub is_orphan: bool,
}

/// Evidence that a process was handed a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sign {
    /// Another user made the socket: this one.
    User(u32),
    /// The socket was made in another cgroup. The process may also have been moved.
    Cgroup,
    /// The socket is a connection, and the process is outside the tree that bound the listener.
    Accepted,
}

/// A process that has the socket open.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The process, and its descriptors of the socket.
    pub owner: &'a HolderProcess,
    /// The facts that decide whether the process can have made the socket.
    pub standing: Standing,
}

/// The processes that bound a socket, as indices of the members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The process tree that bound it; empty if that is undecided, or if all members were handed it.
    pub binders: Vec<usize>,
    /// Members that were handed the socket.
    pub handed: Vec<(usize, Sign)>,
    /// Members of several trees, one of which bound the socket.
    pub undecided: Vec<usize>,
}

impl Origin {
    /// The evidence that the process was handed the socket, if there is any.
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
    /// Whether the process runs as this user, or may have done so before because this user is the root of its user
    /// namespace. That root can signal every process in the namespace.
    fn may_be(&self, uid: u32) -> bool {
        self.uids.contains(&uid) || self.namespace_root == Some(uid)
    }
}

/// Decides which processes bound a socket.
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
    // A tree outside the cgroup can have bound the socket, and can have been moved since.
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

/// Decides which processes have a connection because they belong to the tree that bound the listener.
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

/// Whether all these processes descend from one of them, or are orphans of one process.
fn is_one_family(candidates: &[usize], members: &[Member<'_>]) -> bool {
    let mut families = Families::new(members.len());
    join_descendants(candidates, members, &mut families);
    join_orphans(candidates, members, &mut families);
    let mut roots = candidates.iter().map(|&index| families.root(index));
    let first = roots.next();
    roots.all(|root| Some(root) == first)
}

/// A process joins its nearest ancestor that has the socket open. No process joins process 1, because orphans are its
/// children.
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

/// Joins orphans that have the same parent, program, arguments, descriptors and session: their former parent bound the
/// socket and has ended. A process whose living parent does not have the socket open can have received it in any way.
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

    /// The process is one of these, or a descendant of one. Process 1 is ignored, because it is an ancestor of every
    /// process.
    fn descends_from(&self, pids: &BTreeSet<u32>) -> bool {
        let process = self.process();
        let above = process.ancestors.iter().map(|ancestor| ancestor.pid).filter(|&pid| pid > 1);
        std::iter::once(process.pid).chain(above).any(|pid| pids.contains(&pid))
    }

    /// What the children of one process share if they were forked and changed nothing else.
    fn family_trait(&self) -> Option<impl Eq + std::hash::Hash + use<'_>> {
        let Standing { uids, session, cgroups, .. } = &self.standing;
        let process = self.process();
        let parent = process.ancestors.first()?.pid;
        let program = process.exe.as_deref().filter(|_| !process.args.is_empty())?;
        Some((parent, (*session)?, uids, cgroups.first(), program, &process.args))
    }
}

/// Sets of processes, as a union-find forest.
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
        // Shortens the next search.
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
