//! How the caller is related to the process in its way, from what is known about both.

use jiff::SignedDuration;

use super::kinship::same_program;
use super::program::{OF_MULTIPROCESSING, file_name, is_installed, is_interpreter, script, with_pid};
use crate::escape::Escaped;
use crate::event::units::{is_service, user_of_cgroup};
use crate::event::{Ancestor, Container, Holder, Process, Relation, RelationCode};

/// The relation of the caller to the first holder in the way; `None` if none is known.
#[must_use]
pub(super) fn relate(caller: &Process, holders: &[Holder]) -> Option<Relation> {
    let holder = holders.iter().find(|holder| holder.conflicts)?;
    let owners = || holder.processes.iter().map(|owner| &*owner.process).chain(past(holder));
    if owners().any(|owner| owner.pid == caller.pid) {
        return None;
    }
    let each = |relation: fn(&Process, &Process) -> Option<Relation>| {
        owners().find_map(|owner| relation(caller, owner))
    };
    each(in_line)
        .or_else(|| owners().find_map(without_master))
        .or_else(|| each(of_one_command))
        .or_else(|| each(siblings))
        .or_else(|| left_over(holder))
        .or_else(|| each(of_one_service))
}

/// The opener of a holder that has no process any more.
fn past(holder: &Holder) -> Option<&Process> {
    holder.opened_by.as_deref().filter(|_| holder.is_of_the_past())
}

/// How the caller is related to one process above or below it.
#[must_use]
pub(super) fn relate_to(caller: &Process, owner: &Process) -> Option<RelationCode> {
    in_line(caller, owner).map(|relation| relation.code)
}

/// Whether another process belongs to the same work as the caller: a worker of the same master, what the same program
/// started at once, or another command of the same script.
#[must_use]
pub(super) fn works_with(caller: &Process, owner: &Process) -> bool {
    let is_script = |parent: &Ancestor| SHELLS.contains(&&*parent.comm) || is_interpreter(&parent.comm);
    let is_one_group = caller.group.is_some() && caller.group == owner.group;
    let is_one_job = is_one_group && parents(caller, owner).is_some_and(is_script);
    is_one_job || is_worker(caller, owner) || starter_of_both(caller, owner).is_some()
}

/// One is an ancestor of the other.
fn in_line(caller: &Process, owner: &Process) -> Option<Relation> {
    let depth = |below: &Process, above: &Process| {
        below.ancestors.iter().position(|ancestor| ancestor.pid == above.pid && above.pid > 1)
    };
    if let Some(depth) = depth(caller, owner) {
        let what = if depth == 0 { "the parent" } else { "an ancestor" };
        let text = format!("{} is {what} of the refused process", with_pid(owner));
        return Some(Relation::new(RelationCode::Ancestor, text));
    }
    let depth = depth(owner, caller)?;
    let what = if depth == 0 { "a child" } else { "a descendant" };
    let text = format!("{} is {what} of the refused process", with_pid(owner));
    Some(Relation::new(RelationCode::Descendant, text))
}

/// A worker, by its title, that lives longer than the master that started it.
fn without_master(owner: &Process) -> Option<Relation> {
    let is_titled = matches!(&*owner.args, [title, rest @ ..]
        if title.split_once(": ").is_some_and(|(_, role)| role.starts_with("worker"))
            && rest.iter().all(String::is_empty));
    let is_worker = is_titled || owner.args.iter().any(|arg| arg == OF_MULTIPROCESSING);
    let text = format!("{} is a worker whose master has ended", with_pid(owner));
    (is_worker && is_orphan(owner)).then(|| Relation::new(RelationCode::LeftOver, text))
}

/// Two instances of one program: an earlier run of the same command, or one in another folder.
fn of_one_command(caller: &Process, owner: &Process) -> Option<Relation> {
    if is_worker(caller, owner) {
        return None;
    }
    if let Some((here, there)) = folders(caller, owner).filter(|_| is_one_project(caller, owner)) {
        let (here, there) = (Escaped(here), Escaped(there));
        let text = format!(
            "{} runs the same program in the folder {there}; the refused one runs in {here}",
            with_pid(owner)
        );
        return Some(Relation::new(RelationCode::OtherFolder, text));
    }
    let is_earlier = owner.started.zip(caller.started).is_some_and(|(owner, caller)| owner < caller);
    let what = repetition(caller, owner).filter(|_| is_earlier)?;
    if starter_of_both(caller, owner).is_some() {
        return None;
    }
    let orphan = if is_orphan(owner) { ", and the process that started it has ended" } else { "" };
    let text = format!("{} is an earlier run of the same {what}{orphan}", with_pid(owner));
    Some(Relation::new(RelationCode::EarlierRun, text))
}

/// What runs a second time: a command, or a script with other options.
fn repetition(caller: &Process, owner: &Process) -> Option<&'static str> {
    let (first, other) = (caller.args.split_first()?, owner.args.split_first()?);
    if is_same_file(caller, owner) && first.1 == other.1 && file_name(first.0) == file_name(other.0) {
        return Some("command");
    }
    let is_there = caller.cwd.is_some() && caller.cwd == owner.cwd;
    let is_script = caller.exe.as_deref().is_some_and(is_interpreter) && same_program(caller, owner);
    (is_script && is_there && asks_for_the_same(&caller.args, &owner.args)).then_some("program")
}

/// Whether two command lines of one script differ only in options behind the script, as far as a title shows it.
fn asks_for_the_same(one: &[String], other: &[String]) -> bool {
    fn parts(args: &[String]) -> Option<(Vec<&str>, Vec<&str>)> {
        let (_, name) = script(args)?;
        let mut words = args.iter().skip(1).map(String::as_str);
        let before = words.by_ref().take_while(|word| *word != name).collect();
        Some((before, words.filter(|word| !word.starts_with('-')).collect()))
    }
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn is_same_file(caller: &Process, owner: &Process) -> bool {
    caller.exe.is_some() && caller.exe == owner.exe
}

/// The working folders, if they are known and differ.
fn folders<'a>(caller: &'a Process, owner: &'a Process) -> Option<(&'a str, &'a str)> {
    let both = caller.cwd.as_deref().zip(owner.cwd.as_deref());
    both.filter(|(here, there)| here != there && *here != "/" && *there != "/")
}

/// The same script of one interpreter, by the name of its file; for other programs, the same arguments. The folder of
/// an installed program means nothing: many daemons change it.
fn is_one_project(caller: &Process, owner: &Process) -> bool {
    if !is_same_file(caller, owner) {
        return false;
    }
    let Some(exe) = caller.exe.as_deref() else { return false };
    if !is_interpreter(exe) {
        return caller.args == owner.args && caller.args.len() > 1 && !is_installed(exe);
    }
    let file = |process: &Process| script(&process.args).map(|(_, path)| file_name(path).to_owned());
    same_program(caller, owner) || file(caller).is_some_and(|one| file(owner) == Some(one))
}

/// Workers of one master process: it runs the same program as its workers, or started the same command several times
/// at once, and is no shell.
pub(super) fn is_worker(caller: &Process, owner: &Process) -> bool {
    let is_shell = |parent: &Ancestor| SHELLS.contains(&&*parent.comm) || Container::is_monitor(&parent.comm);
    parents(caller, owner).filter(|_| is_same_file(caller, owner)).is_some_and(|parent| {
        let is_master = parent.comm == owner.comm && parent.comm == caller.comm;
        let is_interpreted = caller.exe.as_deref().is_some_and(is_interpreter);
        let is_command = is_interpreted && caller.args == owner.args && is_at_once(caller, owner);
        is_master || is_command && !is_shell(parent) && starter_of_both(caller, owner).is_none()
    })
}

/// Whether two processes were started within seconds, as workers are: an editor also starts a command again.
fn is_at_once(one: &Process, other: &Process) -> bool {
    const SOON: SignedDuration = SignedDuration::from_secs(10);
    one.started.zip(other.started).is_some_and(|(one, other)| one.duration_since(other).abs() <= SOON)
}

/// Programs that start what somebody types, or what a script lists.
const SHELLS: [&str; 14] = [
    "sh",
    "dash",
    "bash",
    "zsh",
    "fish",
    "ksh",
    "ash",
    "tmux: server",
    "screen",
    "sshd",
    "sshd-session",
    "login",
    "systemd",
    "init",
];

/// Programs that start several others at once, by the start of their name.
const STARTERS: [&str; 9] =
    ["make", "ninja", "honcho", "foreman", "overmind", "xargs", "parallel", "concurrently", "turbo"];

/// The nearest program above both, if it starts several others at once.
fn starter_of_both<'a>(caller: &'a Process, owner: &Process) -> Option<&'a Ancestor> {
    let is_above = |ancestor: &&Ancestor| owner.ancestors.iter().any(|other| other.pid == ancestor.pid);
    let is_starter = |ancestor: &&Ancestor| {
        STARTERS.iter().any(|name| ancestor.names().any(|text| text.starts_with(name)))
    };
    caller.ancestors.iter().find(is_above).filter(is_starter)
}

/// The parent of both.
fn parents<'a>(caller: &'a Process, owner: &Process) -> Option<&'a Ancestor> {
    let parent = caller.ancestors.first().filter(|parent| parent.pid > 1)?;
    (owner.ancestors.first().map(|other| other.pid) == Some(parent.pid)).then_some(parent)
}

fn siblings(caller: &Process, owner: &Process) -> Option<Relation> {
    // What a runtime starts in a container has the container in common.
    let parent = starter_of_both(caller, owner)
        .or_else(|| parents(caller, owner))
        .filter(|parent| !Container::is_monitor(&parent.comm))?;
    let above = format!("{} ({})", parent.shown(), parent.pid);
    if is_worker(caller, owner) {
        let text = format!("{} and the refused process are workers of {above}", with_pid(owner));
        return Some(Relation::new(RelationCode::Worker, text));
    }
    let text = format!("{above} started both {} and the refused process", with_pid(owner));
    Some(Relation::new(RelationCode::Sibling, text))
}

/// The holder's parent at its bind has ended since.
fn left_over(holder: &Holder) -> Option<Relation> {
    let opener = holder.opened_by.as_deref()?;
    let owner = holder.processes.iter().map(|owner| &*owner.process).find(|owner| owner.pid == opener.pid)?;
    let (then, now) = (opener.ancestors.first()?, owner.ancestors.first()?);
    if then.pid == now.pid || then.pid <= 1 || owner.unit.as_deref().is_some_and(is_service) {
        return None;
    }
    let starter = format!("{} ({})", then.shown(), then.pid);
    let text = format!("{} is left over from {starter}, which has ended", with_pid(owner));
    Some(Relation::new(RelationCode::LeftOver, text))
}

/// Adopted by process 1, and not started by it as a service.
fn is_orphan(process: &Process) -> bool {
    process.ancestors.first().is_some_and(|parent| parent.pid == 1)
        && !process.unit.as_deref().is_some_and(is_service)
}

fn of_one_service(caller: &Process, owner: &Process) -> Option<Relation> {
    let container = |process: &Process| process.container.as_ref().map(|container| container.id.clone());
    if container(owner).is_some() {
        let label = owner.container.as_ref().map(|container| Escaped(container.label()).to_string())?;
        let text = format!("{} and the refused process run in the container {label}", with_pid(owner));
        return (container(owner) == container(caller))
            .then(|| Relation::new(RelationCode::SameContainer, text));
    }
    let unit = owner.unit.as_deref().filter(|unit| is_service(unit))?;
    let user = |process: &Process| process.cgroup.as_deref().and_then(user_of_cgroup);
    let is_one =
        caller.unit.as_deref() == Some(unit) && user(caller) == user(owner) && container(caller).is_none();
    let text = format!("{} and the refused process belong to the unit {}", with_pid(owner), Escaped(unit));
    is_one.then(|| Relation::new(RelationCode::SameService, text))
}

#[cfg(test)]
#[path = "relation_tests.rs"]
mod tests;
