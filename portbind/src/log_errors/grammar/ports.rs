//! Ports that a word introduces: `port 80`, `ports 80, 81 and 82`, `tcp/80`, `:80`.

use super::address::address;
use super::cursor::{Cursor, is_word};
use crate::log_errors::log_error::Target;

/// The most ports of one list.
const MAX_LIST: usize = 16;
/// Bytes behind a port within which its address is searched for.
const ADDRESS_WITHIN: usize = 40;
/// Bytes between the word `ports` and a colon with the list behind it.
const BEFORE_LIST: usize = 40;

/// `port 80`, `port: '80'`, `port=80`, `ports (80, 81)`, `Port(s) already bound: 80`, `{port,80}`, `htons(80)`.
pub(super) fn by_word(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    let mut next = *cursor;
    let is_port = next.takes("port") || next.takes("sin_port=htons") || next.takes("sin6_port=htons");
    is_port.then_some(())?;
    let is_many = next.takes("(s)") || next.takes("s");
    let word_end = next;
    let _ = next.takes(" number") || next.takes(" no.") || next.takes(" is");
    next.while_one(5, |byte| b" =:'\"`(#[{,\t<".contains(&byte));
    let protocol = protocol_before(cursor).or_else(|| protocol_here(&mut next));
    if !next.peek()?.is_ascii_digit() {
        next = word_end;
        let words = next.while_one(BEFORE_LIST, |byte| byte.is_ascii_alphabetic() || byte == b' ');
        let says_so = ["use", "bound", "taken", "allocated", "occupied", "running", "listening"];
        let is_said = says_so.iter().any(|word| words.ends_with(word.as_bytes()));
        ((is_many || is_said) && next.takes(":")).then_some(())?;
        next.while_one(3, |byte| b" ([".contains(&byte));
    }
    let ports = list(&mut next)?;
    let protocol = protocol.or_else(|| protocol_behind(&mut next));
    let address = match ports.as_slice() {
        [_] => address_behind(&next),
        _ => None,
    };
    cursor.at = next.at;
    let target =
        |port| Target { protocol: protocol.clone(), address: address.clone(), port: Some(port), path: None };
    Some(ports.into_iter().map(target).collect())
}

/// Whether a word is here that introduces a range.
pub(super) fn is_range(cursor: &Cursor<'_>) -> bool {
    let mut next = *cursor;
    next.takes("range") || next.takes("between ")
}

/// `range: 6006-6006` or `between 6006 and 6006`, a range of one port.
pub(super) fn range(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    (next.takes("range") || next.takes("between ")).then_some(())?;
    next.while_one(4, |byte| b" :=[(".contains(&byte));
    let first = next.port().filter(|port| *port > 9)?;
    let last = if next.takes("-") || next.takes(" and ") { next.port() } else { Some(first) };
    cursor.at = next.at;
    (last == Some(first)).then(|| Target { port: Some(first), ..Target::default() })
}

/// One port, or several with commas and the word `and` between them.
fn list(cursor: &mut Cursor<'_>) -> Option<Vec<u16>> {
    let mut ports = vec![cursor.port()?];
    while ports.len() < MAX_LIST {
        let mut next = *cursor;
        let before = next.at;
        next.while_one(2, |byte| b"'\"".contains(&byte));
        next.while_one(2, |byte| b", ".contains(&byte));
        let _ = next.takes("and ") || next.takes("or ") || next.takes("& ");
        let _ = next.takes("port ");
        next.while_one(2, |byte| b"'\"".contains(&byte));
        let is_next = next.since(before).iter().any(|byte| *byte == b',' || byte.is_ascii_alphabetic());
        let Some(port) = next.port().filter(|port| is_next && *port > 9) else { break };
        ports.push(port);
        *cursor = next;
    }
    ports.dedup();
    Some(ports)
}

/// `tcp/80`, `udp 53`, `TCP on 80`, `tcp:80`, `tcp::2223-:22`, `tcp:127.0.0.1:80`.
pub(super) fn by_protocol(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    let mut next = *cursor;
    let protocol = protocol_word(&mut next)?;
    next.while_one(1, |byte| b"46".contains(&byte));
    let is_close = next.takes("://")
        || next.takes(" on ")
        || next.while_one(1, |byte| b"/: ".contains(&byte)).len() == 1;
    is_close.then_some(())?;
    let mut target = match next.peek()? {
        b':' if matches!(next.rest(), [b':', b'0'..=b'9', ..]) => {
            next.at += 1;
            Target { port: Some(next.port()?), ..Target::default() }
        }
        b':' => address(&mut next)?,
        byte if byte.is_ascii_digit() => match address(&mut next) {
            Some(target) => target,
            None => Target { port: Some(next.port().filter(|port| *port > 9)?), ..Target::default() },
        },
        _ => address(&mut next)?,
    };
    // The other end of a forwarding rule.
    if next.takes("-:") {
        let _ = next.port();
    }
    target.protocol = Some(protocol);
    cursor.at = next.at;
    Some(vec![target])
}

/// `80/tcp`.
pub(super) fn before_protocol(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    let mut next = *cursor;
    let port = next.port()?;
    let protocol = protocol_behind(&mut next)?;
    cursor.at = next.at;
    Some(vec![Target { protocol: Some(protocol), port: Some(port), ..Target::default() }])
}

/// `:80`, without an address.
pub(super) fn bare(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let is_apart =
        next.before(1).first().is_none_or(|before| !is_word(*before) && !b":]'\"".contains(before));
    (next.takes(":") && is_apart).then_some(())?;
    let start = next.at;
    let port = next.port()?;
    let digits = next.at - start;
    (digits >= 2 && !matches!(next.rest(), [b':', b'0'..=b'9', ..])).then_some(())?;
    cursor.at = next.at;
    Some(Target { port: Some(port), ..Target::default() })
}

/// The address behind a port: ` on 0.0.0.0`, `}, {ip,{127,0,0,1}}`, `sin_addr=inet_addr("0.0.0.0")`.
fn address_behind(cursor: &Cursor<'_>) -> Option<String> {
    const WORDS: &[&str] = &[
        " on ",
        "{ip,",
        "inet_addr(\"",
        " of ",
        " at ",
        "addr = ",
        "addr=",
        "for address ",
        "host ",
        "address ",
    ];
    let head = cursor.rest().get(..ADDRESS_WITHIN).unwrap_or(cursor.rest());
    WORDS.iter().find_map(|word| {
        let at = head.windows(word.len()).position(|part| part.eq_ignore_ascii_case(word.as_bytes()))?;
        let mut next = cursor.moved(cursor.at + at + word.len());
        next.while_one(2, |byte| b"'\"".contains(&byte));
        address(&mut next).filter(|target| target.port.is_none())?.address
    })
}

fn protocol_word(cursor: &mut Cursor<'_>) -> Option<String> {
    ["tcp", "udp"].into_iter().find(|word| cursor.takes(word)).map(str::to_owned)
}

fn protocol_here(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut next = *cursor;
    let protocol = protocol_word(&mut next).filter(|_| next.takes("/") || next.takes(" "))?;
    cursor.at = next.at;
    Some(protocol)
}

/// `TCP port`, `udp port`.
fn protocol_before(cursor: &Cursor<'_>) -> Option<String> {
    let before = cursor.before(5).trim_ascii_end().to_ascii_lowercase();
    ["tcp", "udp"].into_iter().find(|word| before.ends_with(word.as_bytes())).map(str::to_owned)
}

fn protocol_behind(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut next = *cursor;
    next.takes("/").then_some(())?;
    let protocol = protocol_word(&mut next)?;
    next.peek().is_none_or(|byte| !is_word(byte)).then_some(())?;
    cursor.at = next.at;
    Some(protocol)
}
