//! The result of `portbind free`, as text.

use super::answer::{explained, heading, of_holder};
use super::holders::HolderRow;
use super::layout::{label, note, rendered, sentence, who};
use super::refusal::fixes;
use crate::diagnosis::freeing::binder::Sign;
use crate::diagnosis::freeing::{Obstacle, Plan, Target};
use crate::diagnosis::manager::{stop_advice, stop_command};
use crate::diagnosis::program::runs_of;
use crate::diagnosis::stop_signal::{may_be_killed, own_command};
use crate::event::{Holder, HolderProcess, Ownership, Process, ShellCommand};
use crate::output::line::{DIM, ERROR, Line, NAME, PLAIN};
use crate::output::style::Style;
use crate::ports::{Freed, Outcome, PortOrName, Stage, Stopped};
use crate::wire::{self, Refusal};

/// The most processes that are listed as not stopped.
const MOST_KEPT: usize = 16;

/// What was done, or what a dry run would do.
pub(in crate::output) fn freed(freed: &Freed, style: &Style) -> String {
    let mut line = Line::default();
    line.push(NAME, heading(&freed.request));
    line.push(PLAIN, "  →  ");
    let is_path = matches!(freed.request.target, PortOrName::Name(_));
    match (freed.stage, freed.is_free) {
        (Stage::Planned, false) if is_path => line.push(NAME, "would be removed"),
        (Stage::Planned, false) => line.push(NAME, to_stop(&freed.plan)),
        (_, true) => line.push(NAME, "free"),
        (Stage::Done | Stage::Forbidden, false) => line.push(ERROR, "not free"),
    }
    let mut lines = vec![line];
    if freed.stage == Stage::Planned && !freed.is_free {
        lines.extend(planned(freed, style));
    }
    lines.extend(freed.stopped.iter().map(stopped));
    lines.extend(all_kept(&freed.plan.obstacles, style));
    let managers = freed.plan.managers();
    let port = match freed.request.target {
        PortOrName::Port(port) => Some(port),
        PortOrName::Name(_) => None,
    };
    if !managers.is_empty() {
        let command = stop_command(&managers);
        let command = command.as_ref().map(ShellCommand::as_str);
        let how = command.map_or_else(String::new, |command| format!(": {command}"));
        lines.extend(sentence("fix", &format!("{}{how}", stop_advice(&managers, port)), command, style));
    }
    if freed.stage != Stage::Planned {
        lines.extend(in_the_way(freed, style));
    }
    rendered(&lines, style)
}

fn to_stop(plan: &Plan) -> String {
    let workers = plan.workers().count();
    let stop = match plan.targets.len().saturating_sub(workers) {
        0 => "there is nobody to stop".to_owned(),
        1 => "1 process would be stopped".to_owned(),
        count => format!("{count} processes would be stopped"),
    };
    match workers {
        0 => stop,
        1 => format!("{stop}, 1 more ends with it"),
        count => format!("{stop}, {count} more end with it"),
    }
}

/// The processes that would be stopped, and the ones that would not.
fn planned(freed: &Freed, style: &Style) -> Vec<Line> {
    let is_client = |holder: &Holder| freed.plan.clients.iter().any(|client| client.id == holder.id);
    let known = freed.request.protocol.map(wire::protocol);
    let masters = freed.plan.targets.iter().filter(|target| target.inodes.is_empty());
    let mut lines: Vec<Line> =
        masters.filter(|target| !freed.has_socket(&target.process)).map(master).collect();
    for holder in &freed.holders {
        let is_open = holder.ownership == Ownership::Process;
        let row = |word| HolderRow { word, known: known.as_deref(), now: Some(freed.time), caller: None };
        if !is_open || is_client(holder) {
            lines.extend(of_holder(&holder.into(), row("leave"), style));
            continue;
        }
        let fate = |owner: &HolderProcess| match freed.plan.target(&owner.process) {
            Some(target) if target.ends_with.is_some() => "with it",
            Some(_) => "stop",
            None => "leave",
        };
        for word in ["stop", "with it", "leave"] {
            let is_it = |owner: &&HolderProcess| fate(owner) == word;
            let processes: Vec<HolderProcess> = holder.processes.iter().filter(is_it).cloned().collect();
            if !processes.is_empty() {
                lines.extend(of_holder(&(&Holder { processes, ..holder.clone() }).into(), row(word), style));
            }
        }
    }
    lines.extend(freed.cause.iter().flat_map(|cause| sentence("why", &cause.summary, None, style)));
    lines
}

/// A master that is stopped and has no socket on the port.
fn master(target: &Target) -> Line {
    let mut line = label("stop");
    who(runs_of(&target.process), target.process.pid, &mut line);
    line.push(DIM, "has no socket on the port, and started the processes that have");
    line
}

fn stopped(stopped: &Stopped) -> Line {
    let Stopped { process, outcome, signal } = stopped;
    let signal = signal.name();
    let (word, how) = match outcome {
        Outcome::Gone => ("left", "it had let go of the port before a signal was sent".to_owned()),
        Outcome::Ended => ("stopped", format!("it ended after {signal}")),
        Outcome::EndedWith => ("stopped", "it ended with the process that started it".to_owned()),
        Outcome::LetGo => ("asked", format!("it let go of the port after {signal}, and still runs")),
        Outcome::StillRuns => ("asked", still_runs(process, signal)),
        Outcome::Killed => ("killed", format!("{signal} did not end it in time, SIGKILL did")),
        Outcome::Denied => ("left", "this user may not stop it".to_owned()),
        Outcome::Lingering => ("killed", "it has not ended yet: it waits inside the kernel".to_owned()),
    };
    let mut line = label(word);
    who(runs_of(process), process.pid, &mut line);
    line.push(DIM, how);
    line
}

/// Why a process that did not end is not killed, and what stops it.
fn still_runs(process: &Process, signal: &str) -> String {
    if may_be_killed(process) {
        return "it still runs, as does the process that started it".to_owned();
    }
    let how = own_command(process).map_or_else(String::new, |command| format!(": {command}"));
    format!("it did not end in time after {signal}; a server of data is not killed{how}")
}

/// All processes that are not stopped, and what the user can do.
fn all_kept(obstacles: &[Obstacle], style: &Style) -> Vec<Line> {
    let mut lines: Vec<Line> =
        obstacles.iter().take(MOST_KEPT).flat_map(|obstacle| kept(obstacle, style)).collect();
    if let Some(more) = obstacles.len().checked_sub(MOST_KEPT).filter(|more| *more > 0) {
        lines.push(note(format!("and {more} more: -o json shows all")));
    }
    let is = |matches: fn(&Obstacle) -> bool| obstacles.iter().any(matches);
    if is(|obstacle| matches!(obstacle, Obstacle::Undecided(_))) {
        lines.extend(advice(
            "several process trees have the socket open, and nothing tells which of them bound it and which were \
             handed it: nobody is stopped; if you know, end that one yourself (kill PID) and run this again",
            style,
        ));
    } else if is(|obstacle| matches!(obstacle, Obstacle::Handed { .. })) {
        lines.extend(advice(
            "the port stays taken as long as they have the socket open; if one of them is to end, end it yourself \
             (kill PID)",
            style,
        ));
    }
    lines
}

/// Processes that are not stopped, and why.
fn kept(obstacle: &Obstacle, style: &Style) -> Vec<Line> {
    let (process, why) = match obstacle {
        Obstacle::Init(process) => (process, "it is process 1, without which nothing runs".to_owned()),
        Obstacle::Own(process) => (process, "this command was started from it".to_owned()),
        Obstacle::Managed { process, manager } => (process, manager.reason()),
        Obstacle::Handed { process, sign: Sign::User(uid) } => (
            process,
            format!("it was handed the socket: uid {uid} made the socket, and this process is not its"),
        ),
        Obstacle::Handed { process, sign: Sign::Cgroup } => (
            process,
            "it was handed the socket, which was made in another control group, or was moved since"
                .to_owned(),
        ),
        Obstacle::Handed { process, sign: Sign::Accepted } => (
            process,
            "it has an accepted connection, and is not of the process tree that bound the listener"
                .to_owned(),
        ),
        Obstacle::Undecided(process) => {
            (process, "it bound the socket, or was merely handed it: that cannot be decided".to_owned())
        }
        Obstacle::Nobody(holder) => {
            let row = HolderRow { word: "kept", known: None, now: None, caller: None };
            let mut lines = of_holder(&(&**holder).into(), row, style);
            lines.extend(advice(
                "no process that can be seen has it open: the kernel itself may, or one in another pid namespace, or \
                 it is in flight between two processes",
                style,
            ));
            return lines;
        }
    };
    let mut line = label("kept");
    who(runs_of(process), process.pid, &mut line);
    line.push(PLAIN, why);
    vec![line]
}

/// What still holds the port, and what helps.
fn in_the_way(freed: &Freed, style: &Style) -> Vec<Line> {
    let mut lines = Vec::new();
    match &freed.refusal {
        Some(refusal) => {
            lines.extend(explained(refusal, style));
            // Stopping is not suggested for processes that cannot be stopped.
            if freed.plan.obstacles.is_empty() {
                lines.extend(fixes(&Refusal::from(refusal).fixes, style));
            }
        }
        None => {
            let row = HolderRow { word: "held by", known: None, now: Some(freed.time), caller: None };
            let named = freed.holders.iter().filter(|holder| holder.name.is_some());
            lines.extend(named.flat_map(|holder| of_holder(&holder.into(), row, style)));
            lines.extend(freed.cause.iter().flat_map(|cause| sentence("why", &cause.summary, None, style)));
        }
    }
    lines
}

/// A sentence below the answer.
fn advice(text: &str, style: &Style) -> Vec<Line> {
    sentence("note", text, None, style)
}
