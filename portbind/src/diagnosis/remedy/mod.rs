//! Remedies: changes that make the refused call work, each checked against the rule before it is offered.

use super::cause::{Case, Search};
use super::facts::PortFacts;
use super::rule::{Asked, Change, Held, Memory, Stage, changes, decide};
use crate::diagnosis::program::runs_of;
use crate::event::{
    Cause, Code, Errno, Fix, Holder, HolderProcess, Operation, Ownership, Process, Protocol, ShellCommand,
    State,
};

mod arrangement;
mod fixed_ports;
mod language;
pub(super) mod stop;

use fixed_ports::{is_fixed, is_shared_by_design};
use language::Setting;

/// The remedies for a refused call, safest first.
#[must_use]
pub fn propose(case: &Case<'_>, cause: &Cause, holders: &[Holder]) -> Vec<Fix> {
    let conflicting: Vec<&Holder> = holders.iter().filter(|holder| holder.conflicts).collect();
    let proposal = Proposal { case, code: cause.code, holders: &conflicting, facts: case.ports };
    if cause.code == Code::StolenFreePort {
        return proposal.keep_the_socket();
    }
    let fixes = [
        proposal.reserve(),
        proposal.close_on_exec(),
        proposal.wait(),
        proposal.options(),
        proposal.own_address_of_other(),
        proposal.stub_listener(),
        proposal.use_passed_socket(),
        proposal.one_address(),
        proposal.close_the_first(),
        proposal.restart(),
        proposal.open_once(),
        proposal.widen_the_range(),
    ];
    let mut fixes: Vec<Fix> = fixes.into_iter().flatten().collect();
    let (other_port, stop) = (proposal.other_port(), proposal.stop());
    // The client of a forwarded port wants this port back from its session before; and who only inherited a port has no
    // use for it.
    let ends = if proposal.is_forwarded_again() || proposal.is(Code::Inherited) {
        [stop, other_port]
    } else {
        [other_port, stop]
    };
    fixes.extend(ends.into_iter().flatten());
    if proposal.shares_with_stranger() {
        fixes.sort_by_key(|fix| fix.code == "v6-only");
    }
    fixes
}

struct Proposal<'a> {
    case: &'a Case<'a>,
    code: Code,
    holders: &'a [&'a Holder],
    facts: &'a PortFacts,
}

impl Proposal<'_> {
    fn is(&self, code: Code) -> bool {
        self.code == code
    }

    /// Another program has the IPv4 addresses: if the caller leaves them to it, clients of IPv4 reach the other one.
    fn shares_with_stranger(&self) -> bool {
        let is_other = |owner: &HolderProcess| owner.process.exe != self.case.process.exe;
        self.is(Code::DualStack) && self.holders.iter().flat_map(|holder| &holder.processes).any(is_other)
    }

    /// For a free port that the caller found, released, and lost to another process.
    fn keep_the_socket(&self) -> Vec<Fix> {
        let text = "bind to port 0 where the port is used, and read the port back; or hand over the bound socket \
                    instead of its number";
        vec![fix("keep-socket", text)]
    }

    /// For a caller that has the port itself, if closing is enough: a connection that the caller closes first leaves a
    /// TIME_WAIT socket.
    fn close_the_first(&self) -> Vec<Fix> {
        if !self.is(Code::OwnSocket) || self.passed_on_by().is_some() || !self.passes_without_own() {
            return Vec::new();
        }
        let fds = self.own_descriptors();
        let which = if fds.is_empty() { String::new() } else { format!(" (fd {fds})") };
        vec![fix(
            "close-first",
            format!("ask for the port once, or close the socket that has it{which} before binding again"),
        )]
    }

    fn passes_without_own(&self) -> bool {
        let is_own = |holder: &Holder| {
            let owners = &holder.processes;
            owners.iter().all(|owner| owner.process.pid == self.case.process.pid)
                && holder.more_processes == 0
        };
        let after =
            |holder: &&Holder| if is_own(holder) { left_behind(holder) } else { Some(Held::of(holder)) };
        self.passes_against(&self.holders.iter().filter_map(after).collect::<Vec<_>>())
    }

    /// Whether the rule lets the call pass if these sockets are on the port.
    fn passes_against(&self, held: &[Held]) -> bool {
        !decide(self.case.generation, &self.asked(), held, &Memory::default()).clause.refuses()
    }

    fn own_descriptors(&self) -> String {
        let own = self.holders.iter().flat_map(|holder| &holder.processes);
        let fds = own.filter(|owner| owner.process.pid == self.case.process.pid).flat_map(|owner| &owner.fds);
        fds.map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    fn close_on_exec(&self) -> Vec<Fix> {
        let leaks =
            |holder: &&Holder| holder.processes.iter().any(|owner| owner.close_on_exec == Some(false));
        if !self.is(Code::Inherited) || !self.holders.iter().any(leaks) {
            return Vec::new();
        }
        let opener = self.holders.iter().find_map(|holder| holder.opened_by.as_deref());
        let how =
            language::how(Setting::CloseOnExec, opener.unwrap_or(&Process::default()), self.case.socket);
        vec![fix("close-on-exec", format!("have {} open its socket with close-on-exec: {how}", whom(opener)))]
    }

    /// TIME_WAIT ends without action.
    fn wait(&self) -> Vec<Fix> {
        let left = |holder: &&Holder| holder.time_wait_left_ms;
        if !self.knows_all() || !self.holders.iter().all(|holder| left(holder).is_some()) {
            return Vec::new();
        }
        let longest = self.holders.iter().filter_map(left).max().unwrap_or(0);
        let (seconds, tenths) = (longest / 1000, longest % 1000 / 100);
        vec![fix("wait", format!("wait: the last TIME_WAIT ends in {seconds}.{tenths}s"))]
    }

    /// Socket options and addresses that make the rule let the call pass.
    fn options(&self) -> Vec<Fix> {
        // A second listen is refused because of the other socket's state; no option of the first call helps.
        if !self.knows_all() || self.case.operation == Operation::Listen {
            return Vec::new();
        }
        let held: Vec<Held> = self.holders.iter().map(|holder| Held::of(holder)).collect();
        let possible = changes(self.case.generation, &self.asked(), &held);
        let is_own =
            |change: Change| self.is_own(change) && !(self.is_left_over() && self.is_of_address(change));
        let small = possible.iter().any(|change| is_own(*change));
        // Another address does not help for long against what a server left behind on each address that it has used.
        let depends_on_address =
            self.is(Code::Outgoing) || self.covers_itself() || self.only_connected() || self.is_left_over();
        // Changes to the other side are offered only if no change to this side helps.
        possible
            .into_iter()
            .filter(|change| !small || is_own(*change))
            .filter(|change| !depends_on_address || !self.is_of_address(*change))
            .filter_map(|change| self.option(change))
            .collect()
    }

    /// Whether every holder is known: a remedy for the known ones may not work against the rest.
    fn knows_all(&self) -> bool {
        !self.holders.is_empty() && self.case.search == Search::Done
    }

    fn asked(&self) -> Asked {
        Asked::of(self.case.socket, self.case.operation == Operation::Listen)
    }

    const fn is_own(&self, change: Change) -> bool {
        matches!(
            change,
            Change::AskerReuseAddress
                | Change::AskerReusePort
                | Change::AskerV6Only
                | Change::AskerOwnAddress
        )
    }

    /// Against a client's connection, another address helps by chance only: the next connection may have any address.
    const fn is_of_address(&self, change: Change) -> bool {
        matches!(change, Change::AskerV6Only | Change::AskerOwnAddress)
    }

    /// Only connections have the port, and none of them belongs to a server that is gone.
    fn only_connected(&self) -> bool {
        self.holders.iter().all(|holder| holder.peer.is_some() && !holder.processes.is_empty())
    }

    /// Several programs receive on the port by design, as for mDNS.
    fn is_shared_by_design(&self) -> bool {
        let socket = self.case.socket;
        let is_multicast =
            socket.address.is_multicast() && !matches!(socket.protocol, Protocol::Tcp | Protocol::Mptcp);
        is_multicast || is_shared_by_design(socket.protocol, socket.port)
    }

    /// The new socket would receive all datagrams of another one, which has the same address.
    fn would_take_datagrams(&self) -> bool {
        let socket = self.case.socket;
        socket.protocol.is_datagram()
            && !self.is_shared_by_design()
            && self.holders.iter().any(|holder| holder.address == socket.address)
    }

    fn option(&self, change: Change) -> Option<Fix> {
        let (process, socket) = (self.case.process, self.case.socket);
        let reuse_address = || language::how(Setting::ReuseAddress, process, socket);
        let reuse_port = || match language::how(Setting::ReusePort, process, socket) {
            how if how.is_empty() => how,
            how => format!(": {how}"),
        };
        // Sharing a port with an unrelated program would take a part of its connections.
        let may_share = self.is(Code::ReuseportMismatch);
        match change {
            // Each socket that joined a multicast group receives its datagrams, whatever shares the port.
            Change::AskerReusePort if self.is_shared_by_design() => Some(fix(
                "reuse-port",
                format!("set SO_REUSEPORT on the new socket, as the other one does{}", reuse_port()),
            )),
            // Of two datagram sockets on one address, only the last one receives.
            Change::AskerReuseAddress if self.would_take_datagrams() => None,
            Change::AskerReuseAddress => {
                Some(fix("reuse-address", format!("set SO_REUSEADDR on the new socket: {}", reuse_address())))
            }
            Change::HoldersReuseAddress if self.is_left_over() => Some(fix(
                "reuse-address-before",
                "set SO_REUSEADDR on the listening socket in every run: the connections of the last one lacked it",
            )),
            Change::BothReuseAddress if self.is(Code::OwnSocket) && self.is_left_over() => Some(fix(
                "reuse-address-both",
                format!(
                    "set SO_REUSEADDR before every bind (a connection has the option of its listener): {}",
                    reuse_address()
                ),
            )),
            Change::HoldersReuseAddress if self.is_shared_by_design() => Some(self.other_side()),
            Change::BothReuseAddress if self.is_shared_by_design() => Some(fix(
                "reuse-address-both",
                format!(
                    "set SO_REUSEADDR on both sockets, because programs share this port: {}",
                    reuse_address()
                ),
            )),
            Change::BothReuseAddress if self.is_left_over() => Some(fix(
                "reuse-address-both",
                format!(
                    "set SO_REUSEADDR before every bind, from the next run on (the sockets left behind need it, \
                     too): {}",
                    reuse_address()
                ),
            )),
            Change::AskerReusePort if may_share => {
                Some(fix("reuse-port", format!("set SO_REUSEPORT on the new socket{}", reuse_port())))
            }
            Change::HoldersReusePort | Change::BothReusePort if may_share => Some(fix(
                "reuse-port-both",
                format!("set SO_REUSEPORT on both sockets, if they are to share the port{}", reuse_port()),
            )),
            Change::AskerV6Only => {
                let how = language::how(Setting::V6Only, process, socket);
                (!how.is_empty()).then(|| {
                    fix(
                        "v6-only",
                        format!("set IPV6_V6ONLY on the new socket, and leave IPv4 to the other one: {how}"),
                    )
                })
            }
            Change::AskerOwnAddress => Some(fix(
                "own-address",
                format!(
                    "bind an address that the other socket does not have, instead of the wildcard address{}",
                    language::how_to_bind_address(process)
                ),
            )),
            Change::SameUser if may_share => {
                Some(fix("same-user", "run both as one user: SO_REUSEPORT groups are of one user"))
            }
            _ => None,
        }
    }

    /// The other program has to set SO_REUSEADDR, as this one did.
    fn other_side(&self) -> Fix {
        let owner = self.holders.iter().flat_map(|holder| &holder.processes).next();
        let how = owner.map_or_else(String::new, |owner| {
            format!(": {}", language::how(Setting::ReuseAddress, &owner.process, self.case.socket))
        });
        let whose = owner.map_or_else(
            || "the other socket".to_owned(),
            |owner| format!("the socket of {}", whom(Some(&owner.process))),
        );
        fix(
            "reuse-address-other",
            format!("set SO_REUSEADDR on {whose}, too, because programs share this port{how}"),
        )
    }

    /// Whether every holder is left over from a listening socket, or a connection of one: connections have their
    /// listener's options, and the next listener can set others.
    fn is_left_over(&self) -> bool {
        !self.is(Code::Outgoing)
            && self.holders.iter().all(|holder| match holder.ownership {
                Ownership::Kernel => false,
                Ownership::Process => {
                    (self.is(Code::Connection) || self.is(Code::OwnSocket)) && holder.peer.is_some()
                }
                _ => true,
            })
    }

    /// Excludes the port from the kernel's choice for connections.
    fn reserve(&self) -> Vec<Fix> {
        if !self.is(Code::Outgoing) {
            return Vec::new();
        }
        reservation(self.case.socket.port, self.facts).into_iter().collect()
    }

    fn widen_the_range(&self) -> Vec<Fix> {
        let Some((low, high)) = self.facts.ephemeral.filter(|_| self.is(Code::PortRangeExhausted)) else {
            return Vec::new();
        };
        // The kernel's default range is 32768 to 60999.
        let (wider_low, wider_high) = (low.min(15_000), high.max(60_999));
        if (wider_low, wider_high) == (low, high) {
            return Vec::new();
        }
        let range = format!("{wider_low} {wider_high}");
        let command = ShellCommand::set_sysctl("net.ipv4.ip_local_port_range", &range);
        vec![by_command("widen-range", &format!("widen the range, which is {low}-{high}"), command)]
    }

    fn other_port(&self) -> Vec<Fix> {
        // If no port was in the way, or none is known to have been, another port may be refused as well.
        let is_taken =
            self.case.error == Errno::EADDRINUSE && !self.is(Code::OwnSocket) && !self.is(Code::Vanished);
        // The same code would ask for the other port twice, too.
        let is_repeated = self.is(Code::SameProgram) && !self.open_once().is_empty();
        let is_possible = is_taken && !is_repeated && !is_fixed(self.case.socket.port);
        let Some(port) = self.facts.free_port.filter(|_| is_possible) else {
            return Vec::new();
        };
        vec![fix("other-port", format!("use another port: {port} is free"))]
    }
}

/// Excludes a port from the kernel's choice for connections; `None` if the kernel does not choose it anyway.
#[must_use]
pub fn reservation(port: u16, facts: &PortFacts) -> Option<Fix> {
    let (low, high) = facts.ephemeral.filter(|(low, high)| (low..=high).contains(&&port))?;
    let reserved = facts.reserved.as_ref().filter(|reserved| !lists(reserved, port))?;
    let value = if reserved.is_empty() { port.to_string() } else { format!("{reserved},{port}") };
    let command = ShellCommand::set_sysctl("net.ipv4.ip_local_reserved_ports", &value);
    let text =
        format!("keep the kernel from choosing it for the next connection (it picks from {low}-{high})");
    Some(by_command("reserve-port", &text, command))
}

/// Whether a list of ports and ranges in the kernel's notation (proc_do_large_bitmap in kernel/sysctl.c) has the port.
fn lists(ports: &str, port: u16) -> bool {
    ports.split(',').any(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        matches!((low.trim().parse(), high.trim().parse()), (Ok(low), Ok(high)) if (low..=high).contains(&port))
    })
}

/// The socket that remains on the port when a holder's processes have ended. A connection closed first on this side
/// ends in TIME_WAIT (tcp_fin and tcp_time_wait, net/ipv4/tcp_input.c and tcp_minisocks.c, v6.18).
fn left_behind(holder: &Holder) -> Option<Held> {
    if holder.processes.is_empty() {
        return Some(Held::of(holder));
    }
    let closes_first =
        matches!(holder.state, State::Established | State::FinWait1 | State::FinWait2 | State::Closing)
            && matches!(holder.protocol, Protocol::Tcp | Protocol::Mptcp);
    closes_first.then(|| Held { stage: Stage::TimeWait, ..Held::of(holder) })
}

fn whom(process: Option<&Process>) -> String {
    process.map_or_else(|| "the opener".to_owned(), runs_of)
}

/// A remedy with the command that applies it; if there is no safe command, only the text.
fn by_command(code: &'static str, what: &str, command: Option<ShellCommand>) -> Fix {
    let text = command.as_ref().map_or_else(|| what.to_owned(), |command| format!("{what}: {command}"));
    Fix { code, text, command }
}

fn fix(code: &'static str, text: impl Into<String>) -> Fix {
    Fix { code, text: text.into(), command: None }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
