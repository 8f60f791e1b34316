//! Changes of how programs are arranged: which process opens the port, when it is started, which address the other
//! one asks for.

use std::net::IpAddr;

use super::language::how_to_bind_address;
use super::{Proposal, fix};
use crate::diagnosis::program::{file_name, runs_of};
use crate::diagnosis::relation::{is_worker, relate_to};
use crate::diagnosis::rule::Held;
use crate::event::{Code, Fix, Holder, HolderProcess, Process, RelationCode, State};

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
        let is_repeated =
            (self.is(Code::SameProgram) || self.is(Code::Listener)) && !self.is_forwarded_again();
        if is_repeated && owners().any(|owner| is_worker(caller, owner)) {
            let text = "open the port once, in the process that starts the workers, or give each worker a port of \
                        its own";
            return vec![fix("open-once", text)];
        }
        Vec::new()
    }

    /// For a server that asks for another address of its own port while it runs: its workers have the old listener, so
    /// that it cannot let go of the port.
    pub(super) fn restart(&self) -> Vec<Fix> {
        let caller = self.case.process;
        let is_below =
            |owner: &&HolderProcess| owner.process.ancestors.iter().any(|above| above.pid == caller.pid);
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

    /// For a process that was handed the socket in its way, as systemd does: the socket is there to be used.
    pub(super) fn use_passed_socket(&self) -> Vec<Fix> {
        let Some(opener) = self.passed_on_by() else { return Vec::new() };
        let text = format!(
            "use the socket that {} passed on (fd {}), and bind none: services of systemd call sd_listen_fds(3)",
            runs_of(opener),
            self.own_descriptors()
        );
        vec![fix("use-passed-socket", text)]
    }

    /// The program that opened the caller's own listener, if it is another one: the caller's parent, or what the caller
    /// ran before.
    pub(super) fn passed_on_by(&self) -> Option<&Process> {
        let caller = self.case.process;
        let openers = self.holders.iter().filter(|holder| holder.state == State::Listen);
        let mut openers = openers.filter_map(|holder| holder.opened_by.as_deref());
        let differs = |opener: &&Process| {
            opener.exe.is_some() && opener.exe != caller.exe && !self.own_descriptors().is_empty()
        };
        openers.find(differs).filter(|_| self.is(Code::OwnSocket))
    }

    /// For a process that asks for an address and for the wildcard address, which covers it.
    pub(super) fn one_address(&self) -> Vec<Fix> {
        let asked = self.case.socket.address;
        let Some(held) = self.holders.first().filter(|_| self.covers_itself()).map(|holder| holder.address)
        else {
            return Vec::new();
        };
        let is_asked_wide = asked.is_unspecified() && !(asked.is_ipv4() && held.is_ipv6());
        let (wide, narrow) = if is_asked_wide { (asked, held) } else { (held, asked) };
        let text = format!(
            "ask for one of the two addresses only: {} serves {} as well",
            shown(wide),
            shown(narrow)
        );
        vec![fix("one-address", text)]
    }

    /// The process itself has the socket in the way; one of the two addresses is the wildcard address, the other is
    /// not, or only that of IPv4.
    pub(super) fn covers_itself(&self) -> bool {
        let asked = self.case.socket.address;
        let is_narrower = |held: IpAddr| {
            held.is_unspecified() != asked.is_unspecified() || held.is_ipv6() && asked.is_ipv4()
        };
        let differs = |holder: &&&Holder| holder.peer.is_none() && is_narrower(holder.address);
        self.is(Code::OwnSocket)
            && self.restart().is_empty()
            && self.knows_all()
            && self.holders.iter().filter(differs).count() == self.holders.len()
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
        let Some(owner) = self.owners().next().filter(|_| self.passes_against(&held)) else {
            return Vec::new();
        };
        let how = how_to_bind_address(&owner.process);
        if how.is_empty() {
            return Vec::new();
        }
        let text = format!(
            "have {} bind its own addresses instead of the wildcard address{how}",
            runs_of(&owner.process)
        );
        vec![fix("own-address-other", text)]
    }

    /// For a DNS server beside systemd-resolved, which listens on addresses of its own for programs that read
    /// resolv.conf.
    pub(super) fn stub_listener(&self) -> Vec<Fix> {
        const DNS: u16 = 53;
        let is_resolved =
            |owner: &HolderProcess| owner.process.exe.as_deref().map(file_name) == Some("systemd-resolved");
        let are_its = self.holders.iter().all(|holder| {
            holder.address.is_loopback()
                && !holder.processes.is_empty()
                && holder.processes.iter().all(is_resolved)
        });
        if self.case.socket.port != DNS || !self.knows_all() || !are_its {
            return Vec::new();
        }
        let text = "set DNSStubListener=no in a file of /etc/systemd/resolved.conf.d, and restart systemd-resolved; \
                    /etc/resolv.conf must then be a link to /run/systemd/resolve/resolv.conf, and not to the stub's \
                    stub-resolv.conf";
        vec![fix("stub-listener", text)]
    }

    fn owners(&self) -> impl Iterator<Item = &HolderProcess> {
        self.holders.iter().flat_map(|holder| &holder.processes)
    }
}

/// In brackets, so that the output can distinguish an IPv6 address from a foreign name.
fn shown(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}
