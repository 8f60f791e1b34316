//! Why an AF_UNIX bind was refused, and what to do about it.
//!
//! KERNEL: `unix_bind` (net/unix/af_unix.c, 5.10 to 7.3) refuses a path at which anything exists, and an abstract name
//! that a socket of the same type has in the same network namespace.

use crate::event::{Cause, Code, Fix, Holder, Process, ShellCommand, State};

/// Facts about the requested name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    /// An abstract name; only sockets can have it.
    Abstract,
    /// A path, checked after the refusal.
    Path {
        /// The object at the path.
        object: Object,
        /// The absolute path as the caller saw it; `None` if unknown.
        absolute: Option<Vec<u8>>,
        /// Portbind sees the same files at the path as the caller did.
        is_ours: bool,
    },
}

/// The object at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Object {
    /// A socket file with a bound socket, according to the kernel.
    LiveSocket,
    /// A socket file without a bound socket on this machine, according to the kernel.
    StaleSocket,
    /// A socket file for which the kernel gave no answer.
    Socket,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to nothing.
    DanglingLink,
    /// A symbolic link to something.
    Link,
    /// A pipe.
    Pipe,
    /// A device.
    Device,
    /// Nothing any more.
    Gone,
    /// The path could not be checked: the caller has ended, or its files are not accessible.
    Unseen,
}

/// The cause of an EADDRINUSE.
#[must_use]
pub fn decide(facts: &Facts, process: &Process, holders: &[Holder]) -> Cause {
    let (code, summary) = match facts {
        Facts::Abstract => of_abstract(process, holders),
        Facts::Path { object, .. } => of_object(*object, process, holders),
    };
    Cause { code, summary }
}

/// What makes the bind work; `None` if no change is known to be safe.
///
/// A command is given only if [`ShellCommand`] accepts the path, and if the path names the same file here as for the
/// caller. No process can have bound the path between the check and the removal: the kernel refuses that while the file
/// exists.
#[must_use]
pub fn fix(facts: &Facts) -> Option<Fix> {
    let Facts::Path { object: Object::StaleSocket, absolute, is_ours } = facts else { return None };
    let command = absolute.as_deref().and_then(ShellCommand::remove);
    let text = match &command {
        Some(command) if *is_ours => format!("remove it: {command}"),
        Some(command) => format!("remove it, in the mount namespace of the caller: {command}"),
        None => "remove it".to_owned(),
    };
    Some(Fix { code: "remove-file", text, command: command.filter(|_| *is_ours) })
}

fn of_abstract(process: &Process, holders: &[Holder]) -> (Code, String) {
    let summary = match holders.first() {
        None => "a socket of the same type had this abstract name; it was gone when it was looked for",
        Some(holder) if is_own(process, holder) => "the failing process has this abstract name itself",
        Some(_) => "another socket of the same type has this abstract name",
    };
    (Code::AbstractNameTaken, summary.to_owned())
}

fn of_object(object: Object, process: &Process, holders: &[Holder]) -> (Code, String) {
    let (code, summary) = match object {
        Object::LiveSocket => (Code::LiveSocketFile, live(process, holders)),
        Object::StaleSocket => (
            Code::StaleSocketFile,
            "a socket file was left at the path, and no socket is bound to it any more",
        ),
        Object::Gone => (Code::Vanished, "nothing was left at the path when it was looked at"),
        Object::Socket => {
            (Code::PathExists, "a socket file is at the path; whether a socket is bound to it is not known")
        }
        Object::File => (Code::PathExists, "a regular file is at the path"),
        Object::Directory => (Code::PathExists, "a directory is at the path"),
        Object::DanglingLink => (
            Code::PathExists,
            "a symbolic link is at the path; it leads nowhere, and bind does not follow it",
        ),
        Object::Link => (Code::PathExists, "a symbolic link is at the path, and bind does not follow it"),
        Object::Pipe => (Code::PathExists, "a pipe is at the path"),
        Object::Device => (Code::PathExists, "a device is at the path"),
        Object::Unseen => {
            (Code::PathExists, "something is at the path; what it is could not be looked at from here")
        }
    };
    (code, summary.to_owned())
}

fn live(process: &Process, holders: &[Holder]) -> &'static str {
    match holders.first() {
        None => "a socket is bound to the file at the path; which one could not be found",
        Some(holder) if is_own(process, holder) => "the failing process has a socket at the path itself",
        Some(holder) if holder.state == State::Listen => "another socket listens at the path",
        Some(_) => "another socket is bound to the path",
    }
}

fn is_own(process: &Process, holder: &Holder) -> bool {
    holder.processes.iter().any(|owner| owner.process.pid == process.pid)
}

/// The sockets with the requested name because of which the kernel refuses it.
///
/// An accepted connection has its listener's name (`unix_accept`), but the kernel does not find it by that name.
#[must_use]
pub fn in_the_way(mut named: Vec<Holder>) -> Vec<Holder> {
    let is_any = |named: &[Holder], state| named.iter().any(|holder| holder.state == state);
    let keep = [State::Listen, State::Bound].into_iter().find(|&state| is_any(&named, state));
    if let Some(state) = keep {
        named.retain(|holder| holder.state == state);
    }
    named
}

#[cfg(test)]
#[path = "unix_tests.rs"]
mod tests;
