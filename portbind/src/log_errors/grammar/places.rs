//! All addresses, ports and paths of sockets in a line.

use super::address::address;
use super::cursor::Cursor;
use super::{abroad, paths, ports};
use crate::log_errors::log_error::Target;

/// The most places of a line that are looked at.
const MAX_PLACES: usize = 48;
/// The bytes of a line in which places are searched for.
const WITHIN: usize = 8192;
/// Words before a place that the program uses instead, or that is the other end.
const INSTEAD: &[&str] = &[
    "attempting",
    "attempting port",
    "trying",
    "try",
    "using",
    "use",
    "using available port",
    "using port",
    "alternative",
    "fallback",
    "falling back to",
    "switching to",
    "moving to",
    "moved to",
    "connect to",
    "connected to",
    "connecting to",
    "connection from",
    "client",
    "upstream",
    "proxy to",
    "forward to",
    "forwarding to",
    "e.g.",
    "such as",
    "default",
    "instead of",
    "like",
];

/// Where a line names an address, a port or a path.
#[derive(Debug)]
pub(super) struct Place {
    /// Index of its first byte.
    pub(super) start: usize,
    /// Index of the byte behind it.
    pub(super) end: usize,
    /// What it names; several ports if it is a list.
    pub(super) targets: Vec<Target>,
}

/// The places in a line from left to right, without those that the program uses instead.
pub(super) fn places(line: &[u8]) -> Vec<Place> {
    let line = line.get(..WITHIN).unwrap_or(line);
    let mut found = Vec::new();
    let mut cursor = Cursor::new(line, 0);
    while cursor.at < line.len() && found.len() < MAX_PLACES {
        let start = cursor.at;
        match read(&mut cursor) {
            Some(targets) if !targets.is_empty() && !is_instead(line, start) => {
                found.push(Place { start, end: cursor.at, targets });
            }
            _ => {}
        }
        cursor.at = cursor.at.max(start + 1);
    }
    found
}

/// One place at the cursor. An empty list: what is here names no port, and is passed over as a whole.
fn read(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    if !cursor.is_at_a_start() {
        return None;
    }
    match cursor.peek()? {
        b'/' | b'@' => one(paths::socket(cursor).or_else(|| slash(cursor))),
        b'[' | b'*' | b'{' => one(address(cursor)),
        b':' => one(paths::display(cursor).or_else(|| ports::bare(cursor)).or_else(|| address(cursor))),
        b'.' => one(paths::relative(cursor)),
        byte if byte.is_ascii_digit() => ports::before_word(cursor).or_else(|| one(address(cursor))),
        b'p' | b'P' | b's' | b'S' if is_port_word(cursor) => ports::by_word(cursor),
        b'r' | b'R' | b'b' | b'B' if ports::is_range(cursor) => ports::range(cursor),
        byte if byte.is_ascii_alphabetic() => word(cursor),
        byte if byte >= 0x80 => ports::by_word(cursor),
        _ => None,
    }
}

fn word(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    // A cheap look decides for most words that they are no place.
    let word = cursor
        .rest()
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(byte))
        .count();
    let behind = cursor.rest().get(word..).unwrap_or_default();
    let found = match behind {
        [b':', b'/', b'/', ..] => paths::url(cursor).map(|target| target.into_iter().collect()),
        [b':', ..] if cursor.rest().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"unix")) => {
            one(paths::socket(cursor))
        }
        _ => None,
    };
    let found = found.or_else(|| one(paths::relative(cursor).or_else(|| paths::display(cursor))));
    let found = found.or_else(|| ports::by_protocol(cursor));
    let is_in_tuple = matches!(cursor.before(2), [b'(', b'\'' | b'"']);
    let may_be_host = behind.starts_with(b":") || is_in_tuple;
    let found = found.or_else(|| may_be_host.then(|| one(address(cursor))).flatten());
    if found.is_none() {
        cursor.at += word;
    }
    found
}

/// `/127.0.0.1:80`, as the JVM prints an address without a name.
fn slash(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    next.at += 1;
    let target = address(&mut next).filter(|target| target.port.is_some())?;
    cursor.at = next.at;
    Some(target)
}

fn is_port_word(cursor: &Cursor<'_>) -> bool {
    let mut next = *cursor;
    next.takes("port") || next.takes("sin_port") || next.takes("sin6_port") || abroad::port_word(&mut next)
}

fn one(target: Option<Target>) -> Option<Vec<Target>> {
    target.map(|target| vec![target])
}

fn is_instead(line: &[u8], start: usize) -> bool {
    let before = Cursor::new(line, start).before(24).to_ascii_lowercase();
    let before = before.trim_ascii_end();
    let is_said = [&b"in use"[..], b"is using", b"already using"].iter().any(|words| before.ends_with(words));
    !is_said
        && INSTEAD.iter().any(|word| {
            before.ends_with(word.as_bytes())
                && before
                    .len()
                    .checked_sub(word.len() + 1)
                    .and_then(|at| before.get(at))
                    .is_none_or(|byte| !byte.is_ascii_alphanumeric())
        })
}
