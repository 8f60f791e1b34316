//! Stops what holds the port: by its manager, or by a signal to the process that started the others.

use std::collections::BTreeMap;

use super::{Proposal, by_command, left_behind};
use crate::diagnosis::manager::{Manager, stop_advice, stop_command};
use crate::diagnosis::program::runs_of;
use crate::diagnosis::relation::works_with;
use crate::diagnosis::stop_signal::{StopSignal, master_without_socket};
use crate::event::{Ancestor, Container, Fix, Holder, Process, ShellCommand};
use crate::order::sort_by_key;

/// Programs that start a server and stay above it, by the start of their name: to stop the server, they are stopped.
/// npm and others of its kind are none: they end with the server, and the server does not always end with them.
const RUNNERS: [&str; 10] = [
    "nodemon",
    "node --watch",
    "watchmedo",
    "cargo-watch",
    "watchexec",
    "entr",
    "foreman",
    "overmind",
    "honcho",
    "air",
];
/// Shells that such programs start servers through.
const SHELLS: [&str; 3] = ["sh", "dash", "bash"];

/// Who stops what.
pub(in crate::diagnosis) struct Stop<'a> {
    /// The refused process.
    pub(in crate::diagnosis) caller: &'a Process,
    /// The sockets in its way.
    pub(in crate::diagnosis) holders: &'a [&'a Holder],
    /// The port.
    pub(in crate::diagnosis) port: Option<u16>,
    /// What is to be done then, as the end of the sentence.
    pub(in crate::diagnosis) then: &'static str,
}

/// A process to end.
struct End {
    pid: u32,
    /// What it runs.
    runs: String,
    signal: StopSignal,
}

impl Proposal<'_> {
    /// Ends what holds the port, if the rule then lets the call pass despite the TIME_WAIT sockets of its connections.
    pub(super) fn stop(&self) -> Vec<Fix> {
        if !self.knows_all() || !self.passes_without_processes() {
            return Vec::new();
        }
        let port = Some(self.case.socket.port);
        Stop { caller: self.case.process, holders: self.holders, port, then: "" }.propose()
    }

    /// A session of sshd forwards a port that another session has.
    pub(super) fn is_forwarded_again(&self) -> bool {
        let owners = || self.holders.iter().flat_map(|holder| &holder.processes);
        is_ssh_session(self.case.process)
            && owners().count() > 0
            && owners().all(|owner| is_ssh_session(&owner.process))
    }

    fn passes_without_processes(&self) -> bool {
        self.passes_against(&self.holders.iter().filter_map(|holder| left_behind(holder)).collect::<Vec<_>>())
    }
}

impl Stop<'_> {
    /// Stops all processes that have one of the sockets open.
    pub(in crate::diagnosis) fn propose(&self) -> Vec<Fix> {
        let mut processes: Vec<&Process> =
            self.holders.iter().flat_map(|holder| &holder.processes).map(|owner| &*owner.process).collect();
        sort_by_key(&mut processes, |process| process.pid);
        processes.dedup_by_key(|process| process.pid);
        if processes.is_empty() {
            return Vec::new();
        }
        let managers: Vec<Option<Manager>> =
            processes.iter().map(|process| Manager::of(process, Some(self.caller))).collect();
        if managers.iter().any(Option::is_some) {
            return self.by_managers(&managers);
        }
        self.by_signal(&processes)
    }

    /// One remedy for all managers; none if a process has no manager, because stopping the others would not suffice.
    fn by_managers(&self, managers: &[Option<Manager>]) -> Vec<Fix> {
        let mut all: Vec<&Manager> = managers.iter().flatten().collect();
        all.dedup();
        let Some(first) = all.first().filter(|_| managers.iter().all(Option::is_some)) else {
            return Vec::new();
        };
        let what = format!("{}{}", stop_advice(&all, self.port), self.then);
        vec![by_command(first.fix_code(), &what, stop_command(&all))]
    }

    /// Ends the processes, each tree of them by its topmost process; none if one of them is needed, or if there are
    /// more processes than are known.
    fn by_signal(&self, processes: &[&Process]) -> Vec<Fix> {
        let is_below = |process: &Process, other: &Process| {
            other.pid != process.pid && process.ancestors.iter().any(|ancestor| ancestor.pid == other.pid)
        };
        let tops: Vec<&Process> = processes
            .iter()
            .copied()
            .filter(|process| !processes.iter().any(|other| is_below(process, other)))
            .collect();
        // More processes than are described are below the one that opened the socket, as workers are below a master.
        let is_known = self.holders.iter().all(|holder| {
            let opener = holder.opened_by.as_ref().map(|opener| opener.pid);
            holder.more_processes == 0 || tops.len() == 1 && tops.first().map(|top| top.pid) == opener
        });
        // What belongs to the caller's own work, and what was handed a socket, is not to be stopped.
        if tops.iter().any(|top| works_with(self.caller, top) && !is_ssh_session(top))
            || self.holders.iter().any(|holder| is_handed(holder))
        {
            return Vec::new();
        }
        // Over sshd, an administrator may be connected, and would be locked out.
        if tops.iter().any(|top| top.comm == "sshd" && !is_ssh_session(top)) {
            return Vec::new();
        }
        let ends: Vec<End> = tops.iter().map(|top| end_of(top)).collect();
        let is_needed = ends.iter().any(|end| self.is_needed(end.pid))
            || tops.iter().any(|top| self.keeps_the_container(top));
        if !is_known || ends.is_empty() || is_needed {
            return Vec::new();
        }
        let mut pids: Vec<u32> = ends.iter().map(|end| end.pid).collect();
        pids.dedup();
        let mut command = stop_command_of(&ends);
        let mut names: Vec<String> = ends.into_iter().map(|end| end.runs).collect();
        names.dedup();
        let mut text = format!("stop {}", names.join(", "));
        if tops.iter().any(|top| is_ssh_session(top)) {
            text = "stop the SSH session, whose client may be gone (ClientAliveInterval in sshd_config ends such \
                    sessions)"
                .to_owned();
        }
        if tops.iter().any(|top| top.is_stopped) {
            text.push_str(" (it is suspended, as by Ctrl-Z, and ends when it goes on)");
            command = command.zip(ShellCommand::resume(&pids)).map(|(kill, resume)| kill.and(&resume));
        }
        text.push_str(self.then);
        vec![by_command("stop-holder", &text, command)]
    }

    /// The first process of the caller's container, with which the container ends.
    fn keeps_the_container(&self, process: &Process) -> bool {
        let id = |process: &Process| process.container.as_ref().map(|container| container.id.clone());
        let is_first = process.ancestors.first().is_some_and(|above| Container::is_monitor(&above.comm));
        is_first && id(process).is_some() && id(process) == id(self.caller)
    }

    /// Process 1, the caller, and what the caller was started from.
    fn is_needed(&self, pid: u32) -> bool {
        let caller = self.caller;
        pid <= 1 || pid == caller.pid || caller.ancestors.iter().any(|ancestor| ancestor.pid == pid)
    }
}

/// The command that sends each process the signal that stops it.
fn stop_command_of(ends: &[End]) -> Option<ShellCommand> {
    let mut pids_by_signal: BTreeMap<StopSignal, Vec<u32>> = BTreeMap::new();
    for end in ends {
        let pids = pids_by_signal.entry(end.signal).or_default();
        if pids.last() != Some(&end.pid) {
            pids.push(end.pid);
        }
    }
    let commands: Option<Vec<_>> = pids_by_signal.iter().map(|(signal, pids)| signal.command(pids)).collect();
    commands?.into_iter().reduce(|all, one| all.and(&one))
}

/// The process to end: the program above that runs it, as nodemon does, or the process itself.
fn end_of(process: &Process) -> End {
    let is_shell = |ancestor: &&Ancestor| SHELLS.contains(&&*ancestor.comm);
    let above = process.ancestors.iter().find(|ancestor| !is_shell(ancestor));
    // Honcho starts a process of its own name for each server.
    let topmost = |above: &Ancestor| process.ancestors.iter().rev().find(|other| other.comm == above.comm);
    let runner = above.filter(|above| is_runner(above)).and_then(topmost);
    match runner.or_else(|| master_without_socket(process)) {
        Some(above) => End { pid: above.pid, runs: above.shown(), signal: StopSignal::Terminate },
        None => End { pid: process.pid, runs: runs_of(process), signal: StopSignal::of(process) },
    }
}

fn is_runner(above: &Ancestor) -> bool {
    let is_its = |text: &str, name: &str| {
        text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    RUNNERS.iter().any(|name| above.names().any(|text| is_its(text, name)))
}

/// A user other than root made the socket, and none of that user's processes has it: it was handed on. A daemon of root
/// makes its sockets before it becomes another user.
fn is_handed(holder: &Holder) -> bool {
    let made_by = holder.uid.filter(|uid| *uid != 0);
    made_by.is_some_and(|uid| {
        holder.processes.iter().all(|owner| owner.process.uid.is_some_and(|own| own != uid))
    })
}

/// A process that sshd started for one client, and not the one that listens for clients: `sshd: root@pts/0`, or
/// `sshd: root` if the client only forwards ports. Since OpenSSH 9.8, sessions are a program of their own.
fn is_ssh_session(process: &Process) -> bool {
    let title = process.args.first().map(String::as_str).unwrap_or_default();
    let session = title.strip_prefix("sshd: ").or_else(|| title.strip_prefix("sshd-session: "));
    matches!(&*process.comm, "sshd" | "sshd-session")
        && session.is_some_and(|session| !session.contains("[listener]") && !session.starts_with('/'))
}
