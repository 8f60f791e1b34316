//! The general grammar: finds a refused bind in words that no row of the table lists.
//!
//! A line is read in two ways: for what it says ([`claims`]) and for the addresses, ports and paths that it names
//! ([`places`]). Each claim takes the place that is nearest to it. A claim that is the kernel's own error counts alone;
//! the others count only with a place.

pub(super) mod abroad;
mod address;
mod claims;
mod cursor;
mod paths;
mod places;
mod ports;
#[cfg(test)]
mod tests;

use claims::{Claim, Kind, claims};
use places::{Place, places};

use super::log_error::Target;
use super::wording::{ROW, Role, Wording};

/// The greatest distance in bytes between a claim and its place.
const NEAR: usize = 160;
/// The greatest distance for a claim that is not the kernel's own error.
const CLOSE: usize = 90;
/// The most answers of one line.
const MAX_TARGETS: usize = 16;

static ERROR: Wording = Wording { source: "any, in the kernel's words", protocol: None, ..ROW };
static FAILED: Wording =
    Wording { source: "any, of a bind that failed", protocol: None, role: Role::Echo, ..ROW };
static IN_USE: Wording = Wording { source: "any, of what is in use", protocol: None, ..ROW };
static RUNNING: Wording =
    Wording { source: "any, of what runs already", protocol: None, role: Role::Echo, ..ROW };

/// What a line says.
#[derive(Debug)]
pub(super) struct Reading {
    /// The kind of words.
    pub(super) wording: &'static Wording,
    /// What was refused, one for each refusal; empty if the line does not name it.
    pub(super) targets: Vec<Target>,
}

/// Reads a line; `None` if it does not say that a bind was refused.
pub(super) fn read(line: &[u8]) -> Option<Reading> {
    let table = claims()?;
    let mut found = table.read(line);
    if found.is_empty() {
        return None;
    }
    let places = places(line);
    let mut targets: Vec<Target> = Vec::new();
    let mut best: Option<Kind> = None;
    found.truncate(MAX_TARGETS);
    for claim in &found {
        let place = nearest(line, claim, &places);
        if place.is_none() && !table.needs_no_place(line, claim) {
            continue;
        }
        best = Some(best.map_or(claim.kind, |best| best.min(claim.kind)));
        place.iter().flat_map(|place| &place.targets).for_each(|target| add(&mut targets, target));
    }
    let wording = match best? {
        Kind::Error => &ERROR,
        Kind::Failed => &FAILED,
        Kind::InUse => &IN_USE,
        Kind::Running => &RUNNING,
    };
    targets.truncate(MAX_TARGETS);
    if let [target] = targets.as_mut_slice() {
        target.protocol = target.protocol.take().or_else(|| protocol(line));
    }
    Some(Reading { wording, targets })
}

/// The port, address or path of a line that says where a program listens, and nothing of a refusal.
pub(super) fn listening(line: &[u8]) -> Option<Target> {
    let mut all = places(line).into_iter().flat_map(|place| place.targets).filter(Target::is_known);
    let mut first = all.next()?;
    for other in all {
        if !first.agrees(&other) {
            return None;
        }
        first.fill_address(other);
    }
    Some(first)
}

/// The address, port or path that is all of a line, but for quotes, commas and the prefix of a collector.
pub(super) fn alone(line: &[u8]) -> Option<Target> {
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || b"'\"`,;".contains(byte);
    let end = line.iter().rposition(|byte| !is_around(byte))? + 1;
    let line = line.get(..end)?;
    let start = line.iter().rposition(is_around).map_or(0, |at| at + 1);
    let (head, all) = line.split_at_checked(start)?;
    let head = head.trim_ascii_end();
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"'")).unwrap_or(head).trim_ascii_end();
    let is_prefix = head.last().is_none_or(|last| b"|:]Z".contains(last));
    (is_prefix && all.len() <= 256).then_some(())?;
    let quoted = [b"socket '", all, b"'"].concat();
    let mut places = places(&quoted);
    let place = places.pop().filter(|_| places.is_empty())?;
    let is_all = place.start == 8 && place.end == 8 + all.len();
    place.targets.into_iter().next().filter(|target| is_all && target.is_known())
}

/// The port of a line, if it names one only.
pub(super) fn only_port(line: &[u8]) -> Option<Target> {
    let mut all = places(line).into_iter().flat_map(|place| place.targets);
    let port = all.find_map(|target| target.port)?;
    all.all(|target| target.port == Some(port)).then(|| Target { port: Some(port), ..Target::default() })
}

/// The address that a line names beside this port.
pub(super) fn address_of(line: &[u8], port: u16) -> Option<String> {
    let mut all = places(line).into_iter().flat_map(|place| place.targets);
    all.find(|target| target.port == Some(port) && target.address.is_some())?.address
}

/// The place nearest to a claim, those with a port or path first; of two, the one before it.
fn nearest<'a>(line: &[u8], claim: &Claim, places: &'a [Place]) -> Option<&'a Place> {
    let near = if claim.kind == Kind::Error { NEAR } else { CLOSE };
    let distance = |place: &Place| match place.start >= claim.end {
        true => (place.start - claim.end) * 2 + 1,
        false => claim.start.saturating_sub(place.end) * 2,
    };
    let is_apart = |place: &Place| {
        let (from, to) =
            if place.start >= claim.end { (claim.end, place.start) } else { (place.end, claim.start) };
        claim.kind != Kind::Error && line.get(from..to).is_some_and(has_end_of_sentence)
    };
    let is_near = |place: &&Place| distance(place) <= near * 2 + 1 && !is_apart(place);
    let is_known = |place: &Place| place.targets.iter().any(Target::is_known);
    let all = places.iter().filter(is_near).filter(|place| claim.kind == Kind::Error || is_known(place));
    all.min_by_key(|place| (!is_known(place), distance(place)))
}

fn has_end_of_sentence(words: &[u8]) -> bool {
    words.windows(2).any(|pair| matches!(pair, [b'.' | b';', b' ']))
}

/// Adds what a place names; a target with more details replaces one with fewer.
fn add(targets: &mut Vec<Target>, target: &Target) {
    let is_same = |other: &&mut Target| other.agrees(target) && other.is_known() == target.is_known();
    if let Some(other) = targets.iter_mut().find(is_same) {
        other.fill_address(target.clone());
    } else if target.is_known() {
        // An address alone is only a part of what was refused.
        targets.retain(Target::is_known);
        targets.push(target.clone());
    } else if targets.is_empty() {
        targets.push(target.clone());
    }
}

/// The protocol that a line names, if it names one.
fn protocol(line: &[u8]) -> Option<String> {
    let has = |word: &[u8]| {
        let is_here = |at: usize| line.get(at..at + 3).is_some_and(|part| part.eq_ignore_ascii_case(word));
        (0..line.len().min(4096)).any(|at| {
            is_here(at)
                && at
                    .checked_sub(1)
                    .and_then(|at| line.get(at))
                    .is_none_or(|byte| !byte.is_ascii_alphanumeric())
                && line.get(at + 3).is_none_or(|byte| !byte.is_ascii_alphabetic())
        })
    };
    match (has(b"tcp"), has(b"udp")) {
        (true, false) => Some("tcp".to_owned()),
        (false, true) => Some("udp".to_owned()),
        _ => None,
    }
}
