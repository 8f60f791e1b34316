//! Parses one line of a recording.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::skipped::Damage;
use crate::event::ShellCommand;
use crate::wire;

/// A line of a recording; serializing it yields the same line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Line {
    /// A call was refused.
    Refusal(Box<wire::Refusal<'static>>),
    /// A refused port has become free.
    Release(Box<wire::Release<'static>>),
    /// Repeated refusals were counted.
    Repeat(Box<wire::Repeat<'static>>),
    /// The summary of a run.
    Summary(Box<wire::Summary>),
    /// A command was started.
    Command(Box<wire::Command<'static>>),
    /// What the process of a refused bind did afterwards.
    Outcome(Box<wire::Outcome<'static>>),
    /// A socket outlived the command.
    Leak(Box<wire::Leak<'static>>),
    /// The command has ended.
    End(Box<wire::End<'static>>),
}

/// The fields at the start of every line.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// The start of a portbind line. Inside a JSON string the quotes would be escaped.
const BEGIN: &str = "{\"schema\":";

/// A line, its damage, or both.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The line.
    pub(super) line: Option<Line>,
    /// What was skipped.
    pub(super) damage: Option<Damage>,
}

impl From<Damage> for Parsed {
    fn from(damage: Damage) -> Self {
        Self { line: None, damage: Some(damage) }
    }
}

/// Finds the line in its bytes. If a run was cut off within a line and the next run was appended there, returns the
/// second line.
pub(super) fn find(bytes: &[u8]) -> Parsed {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_ascii(),
        // The cut may be within a character, at the end or before the start of the next line.
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let is_ours = valid.starts_with(BEGIN.as_bytes());
            return match rescue(bytes) {
                Some(line) => Parsed { line: Some(line), damage: Some(Damage::Torn) },
                None if is_ours && error.error_len().is_none() => Damage::Torn.into(),
                None => Damage::NotText.into(),
            };
        }
    };
    if text.is_empty() {
        return Parsed::default();
    }
    match parse(text) {
        Ok(line) => Parsed { line: Some(line), damage: None },
        Err(Damage::Torn | Damage::Foreign) if let Some(line) = rescue(bytes) => {
            Parsed { line: Some(line), damage: Some(Damage::Torn) }
        }
        Err(damage) => damage.into(),
    }
}

/// The line that starts within another one.
fn rescue(bytes: &[u8]) -> Option<Line> {
    let start = bytes.windows(BEGIN.len()).rposition(|window| window == BEGIN.as_bytes())?;
    if start == 0 {
        return None;
    }
    parse(std::str::from_utf8(bytes.get(start..)?).ok()?.trim_ascii()).ok()
}

fn parse(text: &str) -> Result<Line, Damage> {
    let header: Header<'_> = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() && text.starts_with(BEGIN) { Damage::Torn } else { Damage::Foreign }
    })?;
    if header.schema != wire::SCHEMA {
        return Err(if is_other_version(&header.schema) { Damage::OtherVersion } else { Damage::Foreign });
    }
    match &*header.kind {
        "refusal" => read(text).map(believed).map(Line::Refusal),
        "release" => read(text).map(Line::Release),
        "repeat" => read(text).map(Line::Repeat),
        "summary" => read(text).map(Line::Summary),
        "command" => read(text).map(Line::Command),
        "outcome" => read(text).map(Line::Outcome),
        "leak" => read(text).map(Line::Leak),
        "end" => read(text).map(Line::End),
        _ => Err(Damage::UnknownKind),
    }
}

/// A refusal without remedies whose command portbind does not generate: a recording may come from anywhere, and users
/// paste what is printed from it.
fn believed(mut refusal: Box<wire::Refusal<'static>>) -> Box<wire::Refusal<'static>> {
    refusal.fixes.retain(|fix| match fix.command.as_deref() {
        Some(command) => ShellCommand::recorded(command).is_some() && fix.text.ends_with(command),
        None => true,
    });
    refusal
}

fn read<T: DeserializeOwned>(text: &str) -> Result<Box<T>, Damage> {
    serde_json::from_str(text).map_err(|_| Damage::Malformed)
}

/// Whether `schema` is another version of portbind's schema.
fn is_other_version(schema: &str) -> bool {
    let family = wire::SCHEMA.split('/').next();
    schema != wire::SCHEMA && schema.split('/').next() == family
}
