//! The only source of commands that are offered for pasting into a shell.
//!
//! A command is offered only if each of its words reaches the program unchanged and as one word, when pasted from any
//! output into sh, bash, zsh or fish. If a name does not allow that, or its service manager would reject it, no command
//! is offered: a wrong remedy is worse than none.

use std::fmt;

use super::container::Runtime;
use super::units::UnitName;
use crate::escape::{Prose, is_hidden};

/// Maximum length of a container's name in bytes that is offered in a command.
const LONGEST_CONTAINER: usize = 128;

/// A command, quoted for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand(String);

/// How to quote a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// Only if it needs quotes.
    AsNeeded,
    /// Always: for paths.
    Always,
}

impl ShellCommand {
    /// Sends SIGTERM to processes; `None` if the list is empty or contains process 1.
    #[must_use]
    pub fn kill(pids: &[u32]) -> Option<Self> {
        if pids.is_empty() || pids.iter().any(|pid| *pid <= 1) {
            return None;
        }
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        Self::of(&["kill"], pids.iter(), Quotes::AsNeeded)
    }

    /// Sends SIGINT to processes; `None` as in [`Self::kill`].
    #[must_use]
    pub fn interrupt(pids: &[u32]) -> Option<Self> {
        Self::signal("-INT", pids)
    }

    /// Lets suspended processes go on; `None` as in [`Self::kill`].
    #[must_use]
    pub fn resume(pids: &[u32]) -> Option<Self> {
        Self::signal("-CONT", pids)
    }

    fn signal(option: &str, pids: &[u32]) -> Option<Self> {
        let kill = Self::kill(pids)?;
        kill.as_str().strip_prefix("kill ").map(|pids| Self(format!("kill {option} {pids}")))
    }

    /// Stops units of the system or, through the user's own service manager, of a user; `None` if systemd does not
    /// allow one of the names.
    ///
    /// `--machine=UID@.host` selects another user's service manager (systemctl(1), since systemd 248; an error before).
    /// Without it, the command would stop a unit with the same name that belongs to the user who pastes it.
    #[must_use]
    pub fn stop_units(user: Option<u32>, units: &[&str]) -> Option<Self> {
        let units: Vec<UnitName<'_>> =
            units.iter().map(|unit| UnitName::parse(unit)).collect::<Option<_>>()?;
        let units = units.iter().map(UnitName::as_str);
        match user {
            None => Self::of(&["systemctl", "stop", "--"], units, Quotes::AsNeeded),
            Some(uid) => {
                let machine = format!("--machine={uid}@.host");
                Self::of(&["systemctl", "--user", &machine, "stop", "--"], units, Quotes::AsNeeded)
            }
        }
    }

    /// Stops a container of Docker or of root's Podman; `None` for other runtimes, or if the runtime does not allow the
    /// name (`RestrictedNamePattern` in moby, daemon/names/names.go; `NameRegex` in podman, libpod/define).
    #[must_use]
    pub fn stop_container(runtime: Runtime, name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !starts_well || name.len() > LONGEST_CONTAINER || !name.bytes().all(is_allowed) {
            return None;
        }
        let program = match runtime {
            Runtime::Docker => "docker",
            Runtime::Podman => "podman",
            Runtime::Containerd | Runtime::CriO => return None,
        };
        Self::of(&[program, "stop"], std::iter::once(name), Quotes::AsNeeded)
    }

    /// Lists the containers of Docker that publish a port; `None` for port 0.
    #[must_use]
    pub fn list_publishers(port: u16) -> Option<Self> {
        let filter = format!("publish={port}");
        (port != 0)
            .then(|| Self::of(&["docker", "ps", "--filter"], std::iter::once(&filter), Quotes::AsNeeded))?
    }

    /// Sets a sysctl(8) variable; `None` if the name has characters other than lower-case letters, digits, `_` and
    /// dots.
    #[must_use]
    pub fn set_sysctl(name: &str, value: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(is_plain);
        let setting = format!("{name}={value}");
        is_name.then(|| Self::of(&["sysctl", "-w"], std::iter::once(&setting), Quotes::AsNeeded))?
    }

    /// Removes a file; `None` if the path is not absolute.
    #[must_use]
    pub fn remove(path: &[u8]) -> Option<Self> {
        let path = std::str::from_utf8(path).ok().filter(|path| path.starts_with('/'))?;
        Self::of(&["rm", "--"], std::iter::once(path), Quotes::Always)
    }

    /// Shows the holders of a port.
    #[must_use]
    pub fn who(port: u16) -> Option<Self> {
        let port = port.to_string();
        Self::of(&["portbind", "who"], std::iter::once(&port), Quotes::AsNeeded)
    }

    /// Shows the sockets bound to a path, or to an abstract name after a `@`; `None` if `portbind who` would interpret
    /// the word as something else.
    #[must_use]
    pub fn who_is_at(path: &str) -> Option<Self> {
        let is_name = path.starts_with('@') || path.contains('/') && !path.starts_with('-');
        is_name.then(|| Self::of(&["portbind", "who"], std::iter::once(path), Quotes::Always))?
    }

    /// A command from a recording; `None` if this module would not make it. A recording may come from an untrusted
    /// source.
    #[must_use]
    pub fn recorded(text: &str) -> Option<Self> {
        let words = words(text)?;
        let commands: Option<Vec<Self>> = words.split(|word| word == "&&").map(Self::of_words).collect();
        commands?.into_iter().reduce(|all, one| all.and(&one)).filter(|command| command.as_str() == text)
    }

    fn of_words(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["kill", "-INT", pids @ ..] => Self::interrupt(&numbers(pids)?),
            ["kill", "-CONT", pids @ ..] => Self::resume(&numbers(pids)?),
            ["kill", pids @ ..] => Self::kill(&numbers(pids)?),
            ["systemctl", "stop", "--", units @ ..] if !units.is_empty() => Self::stop_units(None, units),
            ["systemctl", "--user", machine, "stop", "--", units @ ..] if !units.is_empty() => {
                let uid = machine.strip_prefix("--machine=")?.strip_suffix("@.host")?.parse().ok()?;
                Self::stop_units(Some(uid), units)
            }
            ["docker", "stop", name] => Self::stop_container(Runtime::Docker, name),
            ["podman", "stop", name] => Self::stop_container(Runtime::Podman, name),
            ["docker", "ps", "--filter", filter] => {
                Self::list_publishers(filter.strip_prefix("publish=")?.parse().ok()?)
            }
            ["sysctl", "-w", setting] => {
                let (name, value) = setting.split_once('=')?;
                Self::set_sysctl(name, value)
            }
            ["rm", "--", path] => Self::remove(path.as_bytes()),
            _ => None,
        }
    }

    /// This command, and the other one if it succeeds.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self(format!("{self} && {other}"))
    }

    /// The command.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of<T: AsRef<str>>(start: &[&str], operands: impl Iterator<Item = T>, quotes: Quotes) -> Option<Self> {
        let mut command = start.join(" ");
        for word in operands {
            command.push(' ');
            command.push_str(&quoted(word.as_ref(), quotes)?);
        }
        // A command that any output would print differently cannot be copied from that output.
        (Prose(&command).to_string() == command).then_some(Self(command))
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn numbers(pids: &[&str]) -> Option<Vec<u32>> {
    pids.iter().map(|pid| pid.parse().ok()).collect()
}

/// Splits a command into words, with quotes as [`in_quotes`] makes them; `None` if it contains other shell syntax.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' | '"' => {
                let (inside, after) = rest.as_str().split_once(c)?;
                // The only double-quoted character, besides those that need no quotes.
                let inside = if c == '"' && inside == r"\\" { r"\" } else { inside };
                word.get_or_insert_default().push_str(inside);
                rest = after.chars();
            }
            c if c.is_ascii_alphanumeric() || "._/:@%+,-=&".contains(c) => {
                word.get_or_insert_default().push(c);
            }
            _ => return None,
        }
    }
    words.extend(word);
    Some(words)
}

/// A word quoted for a shell; `None` if it is empty or has characters that are invisible or hard to type: control and
/// other hidden characters, blanks other than the space, and signs that are neither letters, digits nor ASCII.
fn quoted(word: &str, quotes: Quotes) -> Option<String> {
    let is_visible = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    if word.is_empty() || !word.chars().all(|c| is_visible(c) && !is_hidden(c)) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/:@%+,-=".contains(c);
    if quotes == Quotes::AsNeeded && word.chars().all(is_plain) {
        return Some(word.to_owned());
    }
    // In `name='value'`, the part before `=` is not an assignment when it follows a program name.
    let value = word.find('=').map_or(0, |sign| sign + 1);
    let start = if quotes == Quotes::AsNeeded && word[..value].chars().all(is_plain) { value } else { 0 };
    let (bare, rest) = word.split_at(start);
    Some(format!("{bare}{}", in_quotes(rest)))
}

/// Single-quoted, where every character is literal, except that fish reads `\\` and `\'` as one character there
/// (fish-doc(1), "Quotes"). These are double-quoted, where every shell reads `\\` as one backslash.
fn in_quotes(text: &str) -> String {
    let mut shown = String::from("'");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\'', _) => shown.push_str(r#"'"'"'"#),
            ('\\', None | Some('\\' | '\'')) => shown.push_str(r#"'"\\"'"#),
            _ => shown.push(c),
        }
    }
    shown.push('\'');
    shown
}

#[cfg(test)]
#[path = "shell_command_tests.rs"]
mod tests;
