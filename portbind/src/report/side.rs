//! Callers and the holders in their way.

use super::foreign::Foreign;
use crate::diagnosis::program;
use crate::escape::Escaped;
use crate::event::units::user_of_cgroup;
use crate::secrets::{mask, mask_text};
use crate::wire;

/// Characters that are stored of the arguments.
const ARGS: usize = 200;

/// A program and its test, which are the same in every run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Side {
    /// The program, or a description if there is none; names of other programs in it are escaped.
    pub program: Foreign,
    /// What the process runs, for people, as [`program::runs`]; or as `program`.
    pub runs: Foreign,
    /// The test.
    pub test: Option<Foreign>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Party {
    /// The program and its test.
    pub side: Side,
    /// The pid; `None` if there is no process.
    pub pid: Option<u32>,
    /// The arguments, joined with blanks; empty if unknown.
    pub args: Foreign,
    /// The user, by name or number.
    pub user: Option<Foreign>,
    /// The container or systemd unit, in words; its name is escaped.
    pub home: Option<Foreign>,
}

impl Party {
    /// The process that was refused.
    #[must_use]
    pub fn caller(process: &wire::Process<'_>) -> Self {
        Self {
            side: Side::caller(process),
            pid: Some(process.pid),
            args: joined(&process.args),
            user: user(process.user.as_deref(), process.uid),
            home: home(process.container.as_ref(), process.unit.as_deref(), process.cgroup.as_deref()),
        }
    }

    /// An owner of a holder.
    #[must_use]
    pub fn holder(process: &wire::HolderProcess<'_>) -> Self {
        Self {
            side: Side::holder(process),
            pid: Some(process.pid),
            args: joined(&process.args),
            user: user(process.user.as_deref(), process.uid),
            home: home(process.container.as_ref(), process.unit.as_deref(), process.cgroup.as_deref()),
        }
    }

    /// A process that may have ended.
    #[must_use]
    pub fn opener(opener: &wire::Opener<'_>) -> Self {
        Self {
            side: Side::opener(opener),
            pid: Some(opener.pid),
            args: joined(&opener.args),
            user: user(None, opener.uid),
            home: None,
        }
    }

    /// The party behind a socket: its owner, the process that left it, or the process that opened it; else a
    /// description of the socket.
    #[must_use]
    pub fn behind(holder: &wire::Holder<'_>) -> Self {
        if let Some(process) = holder.processes.first() {
            return Self::holder(process);
        }
        if let Some(opener) = holder.left_by.as_ref().or(holder.opened_by.as_ref()) {
            return Self::opener(opener);
        }
        Self {
            side: Side::nobody(holder),
            pid: None,
            args: Foreign::default(),
            user: user(holder.user.as_deref(), holder.uid),
            home: None,
        }
    }
}

impl Side {
    /// The process that was refused.
    pub(super) fn caller(process: &wire::Process<'_>) -> Self {
        Self::new(&process.comm, process.exe.as_deref(), &process.args, process.test.as_ref())
    }

    /// The side of the party behind a socket, see [`Party::behind`].
    pub(super) fn behind(holder: &wire::Holder<'_>) -> Self {
        if let Some(process) = holder.processes.first() {
            return Self::holder(process);
        }
        let opener = holder.left_by.as_ref().or(holder.opened_by.as_ref());
        opener.map_or_else(|| Self::nobody(holder), Self::opener)
    }

    fn holder(process: &wire::HolderProcess<'_>) -> Self {
        Self::new(&process.comm, process.exe.as_deref(), &process.args, process.test.as_ref())
    }

    fn opener(opener: &wire::Opener<'_>) -> Self {
        Self::new(&opener.comm, opener.exe.as_deref(), &opener.args, None)
    }

    /// The description of a socket without a process.
    fn nobody(holder: &wire::Holder<'_>) -> Self {
        let words = match &*holder.ownership {
            "time_wait" => "TIME-WAIT, left by a process that was not seen",
            "orphan" => "a connection whose process is gone",
            "not_accepted" => "a connection that waits to be accepted",
            "kernel" => "the kernel",
            _ => "a process that was not found",
        };
        Self { program: Foreign::new(words), runs: Foreign::new(words), test: None }
    }

    fn new(comm: &str, exe: Option<&str>, args: &[String], test: Option<&wire::Test<'_>>) -> Self {
        Self {
            program: Foreign::new(&program::name(comm, exe, args)),
            runs: Foreign::new(&program::runs(comm, exe, args)),
            test: test.and_then(|test| test.name.as_deref()).map(|name| Foreign::new(&mask_text(name))),
        }
    }
}

/// The arguments, joined with blanks and without secrets, which the recording may contain.
fn joined(args: &[String]) -> Foreign {
    let mut text = String::new();
    let masked = mask(args);
    for arg in masked.as_deref().unwrap_or(args) {
        if text.len() > ARGS {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&arg[..arg.floor_char_boundary(ARGS)]);
    }
    Foreign::new(&text)
}

fn user(name: Option<&str>, uid: Option<u32>) -> Option<Foreign> {
    name.map(Foreign::new).or_else(|| uid.map(|uid| Foreign::new(&uid.to_string())))
}

/// Container or unit, in words; the names are escaped.
fn home(
    container: Option<&wire::Container<'_>>,
    unit: Option<&str>,
    cgroup: Option<&str>,
) -> Option<Foreign> {
    let container = container.map(|container| {
        let name = container.name.as_deref().unwrap_or(&container.id);
        format!("container {}", Escaped(&name[..name.floor_char_boundary(40)]))
    });
    let of_user = cgroup.and_then(user_of_cgroup).map_or_else(String::new, |uid| format!(" of user {uid}"));
    let unit = || unit.map(|unit| format!("unit {}{of_user}", Escaped(unit)));
    container.or_else(unit).map(|text| Foreign::new(&text))
}
