//! Ports that a word introduces: `port 80`, `ports 80, 81 and 82`, `tcp/80`, `:80`.

use super::abroad;
use super::address::address;
use super::cursor::{Cursor, is_word as is_word_byte};
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
    let is_abroad = abroad::port_word(&mut next);
    let is_port =
        is_abroad || next.takes("port") || next.takes("sin_port=htons") || next.takes("sin6_port=htons");
    is_port.then_some(())?;
    let is_many = next.takes("(s)") || next.takes("s");
    let word_end = next;
    abroad::ending(&mut next);
    let _ = next.takes(" number") || next.takes(" no.") || next.takes(" is") || next.takes(" - ");
    next.while_one(5, |byte| b" =:'\"`(#[{,\t<".contains(&byte));
    let mut protocol = protocol_before(cursor).or_else(|| protocol_here(&mut next));
    let mut list = List { is_many, is_behind_colon: false };
    if !next.peek()?.is_ascii_digit() {
        next = word_end;
        list.is_behind_colon = is_behind_colon(&mut next, is_many, is_abroad);
        list.is_behind_colon.then_some(())?;
        protocol = protocol.or_else(|| label(&mut next));
    } else if next.at == word_end.at && word_end.since(cursor.at).is_ascii() {
        // `port8080` is a name.
        return None;
    }
    let ports = list.read(&mut next)?;
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

/// Takes the words between `ports` and a list, `already in use: `; whether a list may follow.
fn is_behind_colon(cursor: &mut Cursor<'_>, is_many: bool, is_abroad: bool) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphabetic() || byte == b' ' || byte >= 0x80;
    let words = cursor.while_one(BEFORE_LIST, is_part);
    let says_so = ["use", "bound", "taken", "allocated", "occupied", "running", "listening"];
    let is_said = is_many || is_abroad || says_so.iter().any(|word| words.ends_with(word.as_bytes()));
    let is_here = is_said && (words.ends_with("：".as_bytes()) || cursor.takes(":"));
    cursor.while_one(3, |byte| b" ([".contains(&byte));
    is_here
}

/// Takes the name before a port in a list, `api:3000`, `db=5432`, `STUN(UDP:3478)`; the protocol, if it is in the name.
fn label(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut next = *cursor;
    let name = next.while_one(24, |byte| byte.is_ascii_alphanumeric() || b"-_(".contains(&byte));
    let name = name.to_ascii_lowercase();
    let is_name = name.iter().any(u8::is_ascii_alphabetic) && name != b"localhost";
    let is_here = is_name && (next.takes(":") || next.takes("=")) && next.peek()?.is_ascii_digit();
    is_here.then(|| cursor.at = next.at)?;
    ["tcp", "udp"].into_iter().find(|word| name.ends_with(word.as_bytes())).map(str::to_owned)
}

/// Whether a word is here that introduces a range.
pub(super) fn is_range(cursor: &Cursor<'_>) -> bool {
    let mut next = *cursor;
    next.takes("range") || next.takes("between ")
}

/// `range: 6006-6006` or `between 6006 and 6006`; a range of several ports names none.
pub(super) fn range(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    let mut next = *cursor;
    (next.takes("range") || next.takes("between ")).then_some(())?;
    next.while_one(4, |byte| b" :=[(".contains(&byte));
    let first = next.port().filter(|port| *port > 9)?;
    let last = if next.takes("-") || next.takes(" and ") { next.port()? } else { first };
    cursor.at = next.at;
    let target = Target { port: Some(first), ..Target::default() };
    Some(if first == last { vec![target] } else { Vec::new() })
}

/// The ports of a range; none of one that is wide or none at all.
fn from_to(first: u16, last: u16) -> Vec<u16> {
    let is_narrow = last.checked_sub(first).is_some_and(|more| usize::from(more) < MAX_LIST);
    if is_narrow { (first..=last).collect() } else { Vec::new() }
}

/// How a list of ports may be written.
#[derive(Clone, Copy)]
struct List {
    /// The word before it is of several ports: `ports 80-82`, `ports 80/443`.
    is_many: bool,
    /// A colon is before it: `already in use: 80 443`, `already in use: web:80 tls:443`.
    is_behind_colon: bool,
}

impl List {
    /// One port, or several with commas and the word `and` between them; none of a wide range.
    fn read(self, cursor: &mut Cursor<'_>) -> Option<Vec<u16>> {
        let mut ports = vec![cursor.port()?];
        let mut end = *cursor;
        if (self.is_many || self.is_behind_colon) && end.takes("-") {
            if let (Some(last), Some(first)) = (end.port(), ports.pop()) {
                *cursor = end;
                return Some(from_to(first, last));
            }
            return None;
        }
        while ports.len() < MAX_LIST {
            let Some(port) = self.next(cursor) else { break };
            ports.push(port);
        }
        ports.dedup();
        Some(ports)
    }

    fn next(self, cursor: &mut Cursor<'_>) -> Option<u16> {
        let mut next = *cursor;
        let before = next.at;
        next.while_one(2, |byte| b"'\"".contains(&byte));
        next.while_one(2, |byte| b", ".contains(&byte));
        let _ = next.takes("and ") || next.takes("or ") || next.takes("& ");
        let _ = next.takes("port ") || self.is_many && next.takes("/");
        next.while_one(2, |byte| b"'\"".contains(&byte));
        let between = next.since(before);
        let is_apart = between.iter().any(|byte| matches!(byte, b',' | b'/') || byte.is_ascii_alphabetic());
        let _protocol = self.is_behind_colon.then(|| label(&mut next));
        let port = next.port().filter(|port| *port > 9)?;
        (is_apart || self.is_behind_colon && !between.is_empty()).then(|| {
            *cursor = next;
            port
        })
    }
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

/// Whether the number of a port follows its word, so that a number before the word is another.
fn is_port_next(mut cursor: Cursor<'_>) -> bool {
    cursor.while_one(3, |byte| b" :=".contains(&byte));
    cursor.peek().is_some_and(|byte| byte.is_ascii_digit())
}

/// `80/tcp`, `80 port`, `80端口`, `8003번 포트`.
pub(super) fn before_word(cursor: &mut Cursor<'_>) -> Option<Vec<Target>> {
    let mut next = *cursor;
    let port = next.port()?;
    let protocol = protocol_behind(&mut next);
    if protocol.is_none() {
        let is_word = next.takes(" portu") || next.takes(" port") || {
            abroad::counter(&mut next);
            next.peek()? >= 0x80 && abroad::port_word(&mut next)
        };
        let is_whole = next.peek().is_none_or(|byte| !is_word_byte(byte));
        (is_word && is_whole && port > 9 && !is_port_next(next)).then_some(())?;
    }
    cursor.at = next.at;
    Some(vec![Target { protocol, port: Some(port), ..Target::default() }])
}

/// `:80`, without an address, and no number of a line: `bind(:434)`.
pub(super) fn bare(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let is_apart =
        next.before(1).first().is_none_or(|before| !is_word_byte(*before) && !b":]'\"".contains(before));
    (next.takes(":") && is_apart).then_some(())?;
    let start = next.at;
    let port = next.port()?;
    let digits = next.at - start;
    let is_line = cursor.before(1) == b"(" && next.rest().starts_with(b"):");
    (digits >= 2 && !is_line && !matches!(next.rest(), [b':', b'0'..=b'9', ..])).then_some(())?;
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
    next.peek().is_none_or(|byte| !is_word_byte(byte)).then_some(())?;
    cursor.at = next.at;
    Some(protocol)
}
