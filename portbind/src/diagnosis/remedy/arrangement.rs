//! Changes of how programs are arranged: which process opens the port, when it is started, which address the other
//! one asks for.

use std::net::IpAddr;

use super::language::how_to_bind_address;
use super::{Proposal, fix};
use crate::diagnosis::program::runs_of;
use crate::diagnosis::relation::{is_worker, relate_to};
use crate::diagnosis::rule::Held;
use crate::event::{Code, Fix, HolderProcess, Process, RelationCode, State};

impl Proposal<'_> {
    /// For code that runs in a process and in the one above it, or in each worker: each run of it opens the port.
    pub(super) fn open_once(&self) -> Vec<Fix> {
        let caller = self.case.process;
        let same_file = |owner: &Process| caller.exe.is_some() && caller.exe == owner.exe;
        let owners = || self.owners().map(|owner| &*owner.process).filter(|owner| same_file(owner));
        let is_above = |owner: &&Process| relate_to(caller, owner) == Some(RelationCode::Ancestor);
        if let Some(above) = owners().find(is_above).filter(|_| !self.is(Code::Inherited)) {
            let text = format!(
                "open the port in one of the two processes only: {} has it, and started the refused process",
                runs_of(above)
            );
            return vec![fix("open-once", text)];
        }
        let is_repeated = self.is(Code::SameProgram) && !self.is_forwarded_again();
        if is_repeated && owners().any(|owner| is_worker(caller, owner)) {
            let text = "open the port once, in the process that starts the workers, or give each worker a port of its own";
            return vec![fix("open-once", text)];
        }
        Vec::new()
    }

    /// For a server that asks for another address of its own port while it runs: its workers have the old listener, so
    /// that it cannot let go of the port.
    pub(super) fn restart(&self) -> Vec<Fix> {
        let caller = self.case.process;
        let is_below = |owner: &&HolderProcess| owner.process.ancestors.iter().any(|above| above.pid == caller.pid);
        let is_kept = self.holders.iter().any(|holder| {
            holder.state == State::Listen && holder.processes.iter().any(|owner| is_below(&owner))
        });
        if !self.is(Code::OwnSocket) || !is_kept {
            return Vec::new();
        }
        let text = format!(
            "stop {} and start it again: while it runs, its workers keep the listening socket that it opened before",
            runs_of(caller)
        );
        vec![fix("restart", text)]
    }

    /// For one address that another program's wildcard address covers, if that program has a setting for it.
    pub(super) fn own_address_of_other(&self) -> Vec<Fix> {
        if !self.is(Code::Wildcard) || self.case.socket.address.is_unspecified() || !self.knows_all() {
            return Vec::new();
        }
        let mut held: Vec<Held> = self.holders.iter().map(|holder| Held::of(holder)).collect();
        for held in &mut held {
            held.endpoint.address = match held.endpoint.address {
                IpAddr::V4(_) => IpAddr::from([192, 0, 2, 1]),
                IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
            };
        }
        let Some(owner) = self.owners().next().filter(|_| self.passes_against(&held)) else { return Vec::new() };
        let how = how_to_bind_address(&owner.process);
        if how.is_empty() {
            return Vec::new();
        }
        let text = format!("have {} bind its own addresses instead of the wildcard address{how}", runs_of(&owner.process));
        vec![fix("own-address-other", text)]
    }

    fn owners(&self) -> impl Iterator<Item = &HolderProcess> {
        self.holders.iter().flat_map(|holder| &holder.processes)
    }
}
