//! Branches of work trees, where two processes run the same.

use std::rc::Rc;

use super::Enricher;
use crate::diagnosis::program::runs_of;
use crate::event::{Holder, Process};
use crate::host::Host;

/// The most holders whose branch is read for one refusal.
const MOST: usize = 3;

impl Enricher {
    /// Reads the branches of a caller and of those that hold its port, if they run the same in different folders.
    pub(super) fn read_branches(&self, caller: &mut Rc<Process>, holders: &mut [Holder]) {
        let Host { procfs, work_trees, .. } = &self.processes.host;
        let asked = Rc::clone(caller);
        let in_the_way = holders.iter_mut().filter(|holder| holder.conflicts);
        let owners = in_the_way.flat_map(|holder| &mut holder.processes);
        for owner in owners.filter(|owner| differ_only_in_folder(&asked, &owner.process)).take(MOST) {
            if let Some(branch) = work_trees.branch(procfs, &owner.process) {
                Rc::make_mut(&mut owner.process).branch = Some(branch);
            }
            if caller.branch.is_none() {
                Rc::make_mut(caller).branch = work_trees.branch(procfs, &asked);
            }
        }
    }
}

/// Whether only the folders of two processes differ.
fn differ_only_in_folder(one: &Process, other: &Process) -> bool {
    let both = one.cwd.as_ref().zip(other.cwd.as_ref());
    both.is_some_and(|(one, other)| one != other) && one.exe == other.exe && runs_of(one) == runs_of(other)
}
