//! The commands that are offered for pasting into a shell. All of them are made here.
//!
//! A command is offered only where every word of it is certain to reach the program as it is: as one word, from any
//! output, in sh, bash, zsh and fish. Where a name does not allow that, or is none that its manager would take, there
//! is no command: a wrong remedy is worse than none.

use std::fmt;

use super::units::UnitName;
use crate::escape::{Prose, is_hidden};

/// A command, quoted for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand(String);

/// How a word is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// Where it needs to be.
    AsNeeded,
    /// Always: a path, which is read as one.
    Always,
}

impl ShellCommand {
    /// Sends SIGTERM to processes; `None` for none of them, and for process 1.
    #[must_use]
    pub fn kill(pids: &[u32]) -> Option<Self> {
        if pids.is_empty() || pids.iter().any(|pid| *pid <= 1) {
            return None;
        }
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        Self::of(&["kill"], pids.iter(), Quotes::AsNeeded)
    }

    /// Stops units of the system, or those of a user by the user's own service manager; `None` if one of the names is
    /// none that systemd allows.
    ///
    /// `--machine=UID@.host` reaches the manager of another user (systemctl(1), from systemd 248 on; before, it is an
    /// error). Without it, whoever pastes the command would stop a unit of their own with the same name.
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

    /// Sets a variable of sysctl(8); `None` if the name is not made of lower-case letters, digits, `_` and dots.
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

    /// Says who is on a port.
    #[must_use]
    pub fn who(port: u16) -> Option<Self> {
        let port = port.to_string();
        Self::of(&["portbind", "who"], std::iter::once(&port), Quotes::AsNeeded)
    }

    /// Says who is bound to a path, or has an abstract name behind a `@`; `None` where `portbind who` would take it for
    /// something else.
    #[must_use]
    pub fn who_is_at(path: &str) -> Option<Self> {
        let is_name = path.starts_with('@') || path.contains('/') && !path.starts_with('-');
        is_name.then(|| Self::of(&["portbind", "who"], std::iter::once(path), Quotes::Always))?
    }

    /// The command that a recording says to have been offered; `None` if it is none that is made here. A recording may
    /// come from anywhere.
    #[must_use]
    pub fn recorded(text: &str) -> Option<Self> {
        let words = words(text)?;
        let commands: Option<Vec<Self>> = words.split(|word| word == "&&").map(Self::of_words).collect();
        commands?.into_iter().reduce(|all, one| all.and(&one)).filter(|command| command.as_str() == text)
    }

    fn of_words(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["kill", pids @ ..] => {
                Self::kill(&pids.iter().map(|pid| pid.parse().ok()).collect::<Option<Vec<_>>>()?)
            }
            ["systemctl", "stop", "--", units @ ..] if !units.is_empty() => Self::stop_units(None, units),
            ["systemctl", "--user", machine, "stop", "--", units @ ..] if !units.is_empty() => {
                let uid = machine.strip_prefix("--machine=")?.strip_suffix("@.host")?.parse().ok()?;
                Self::stop_units(Some(uid), units)
            }
            ["sysctl", "-w", setting] => {
                let (name, value) = setting.split_once('=')?;
                Self::set_sysctl(name, value)
            }
            ["rm", "--", path] => Self::remove(path.as_bytes()),
            _ => None,
        }
    }

    /// One command, and the other if that succeeds.
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
        // What any output would print in another way cannot be copied from it.
        (Prose(&command).to_string() == command).then_some(Self(command))
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words of a command with quotes as [`in_quotes`] makes them; `None` if it has other signs of a shell.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' | '"' => {
                let (inside, after) = rest.as_str().split_once(c)?;
                // The one sign that stands in double quotes, besides what needs no quotes.
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

/// A word in quotes for a shell; `None` if it is empty, or holds what cannot be seen or typed: control characters and
/// other hidden ones, blanks but the usual one, and signs that are neither letters, digits nor ASCII.
fn quoted(word: &str, quotes: Quotes) -> Option<String> {
    let is_visible = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    if word.is_empty() || !word.chars().all(|c| is_visible(c) && !is_hidden(c)) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/:@%+,-=".contains(c);
    if quotes == Quotes::AsNeeded && word.chars().all(is_plain) {
        return Some(word.to_owned());
    }
    // `name='value'`: what stands before the sign is no assignment behind the name of a program.
    let value = word.find('=').map_or(0, |sign| sign + 1);
    let start = if quotes == Quotes::AsNeeded && word[..value].chars().all(is_plain) { value } else { 0 };
    let (bare, rest) = word.split_at(start);
    Some(format!("{bare}{}", in_quotes(rest)))
}

/// In single quotes, in which every sign means itself; but for fish, which takes `\\` and `\'` in them for one sign
/// (fish-doc(1), "Quotes"). These stand in double quotes, in which all shells take `\\` for one backslash.
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
