//! Addresses in a line, and the ports behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cursor::{Cursor, is_word};
use crate::log_errors::log_error::Target;

/// The longest address: IPv6 with a zone.
const MAX_ADDRESS: usize = 64;
/// The longest name of a host.
const MAX_HOST: usize = 64;
/// What may be between an address and the word `port`, or between either and the number.
const BETWEEN: &[u8] = b" ,;=:'\"`)]#([\t\\";
/// Last parts of names that are of source files: what is behind the colon is a line, and no port.
pub(super) const FILES: &[&str] = &[
    "c", "cc", "cpp", "cs", "cxx", "erl", "ex", "exs", "go", "h", "hpp", "hs", "java", "js", "jsx", "kt",
    "lua", "ml", "mjs", "php", "pl", "pm", "py", "pyx", "rb", "rs", "scala", "sh", "swift", "tcl", "ts",
    "tsx", "vala", "zig",
];

/// An address at the cursor, with the port behind it if there is one.
pub(super) fn address(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let target = match next.peek()? {
        b'[' => bracketed(&mut next),
        b'*' => wildcard(&mut next),
        b'{' => erlang(&mut next),
        byte if byte.is_ascii_hexdigit() || byte == b':' => ip(&mut next).or_else(|| host(&mut next)),
        byte if byte.is_ascii_alphabetic() => host(&mut next),
        _ => None,
    }?;
    cursor.at = next.at;
    Some(target)
}

/// `[::1]:80`, `[::1] port 80`, `[127.0.0.1:80]`, `[AF_INET]127.0.0.1:80`, `[AF_INET][undef]:80`.
fn bracketed(cursor: &mut Cursor<'_>) -> Option<Target> {
    cursor.at += 1;
    let start = cursor.at;
    let inside = cursor.while_one(MAX_ADDRESS, |byte| byte != b']');
    cursor.takes("]").then_some(())?;
    if inside.starts_with(b"AF_INET") {
        return match cursor.takes("[undef]:") {
            true => cursor.port().map(|port| Target { port: Some(port), ..Target::default() }),
            false => ip(cursor),
        };
    }
    let mut inner = Cursor::new(cursor.since(0), start);
    let mut target = ip(&mut inner)?;
    if target.port.is_none() {
        target.port = port_behind(cursor);
    }
    (inner.at == start + inside.len() || target.port.is_some()).then_some(target)
}

fn wildcard(cursor: &mut Cursor<'_>) -> Option<Target> {
    cursor.at += 1;
    let port = port_behind(cursor)?;
    Some(Target { address: Some("*".to_owned()), port: Some(port), ..Target::default() })
}

/// `{127,0,0,1}` and `{{127,0,0,1},80}`, as Erlang prints an address.
fn erlang(cursor: &mut Cursor<'_>) -> Option<Target> {
    cursor.at += 1;
    let start = cursor.at;
    cursor.while_one(MAX_ADDRESS, |byte| byte.is_ascii_digit() || byte == b',' || byte == b' ');
    let text = String::from_utf8_lossy(cursor.since(start)).replace([' ', ','], ".").replace("..", ".");
    cursor.takes("}").then_some(())?;
    let address: Ipv4Addr = text.parse().ok()?;
    let mut next = *cursor;
    let port = next.takes(",").then(|| next.port()).flatten().filter(|_| next.peek() == Some(b'}'));
    Some(Target { address: Some(address.to_string()), port, ..Target::default() })
}

/// An IP address without brackets.
fn ip(cursor: &mut Cursor<'_>) -> Option<Target> {
    let start = cursor.at;
    let text = cursor.while_one(MAX_ADDRESS, |byte| byte.is_ascii_hexdigit() || b".:".contains(&byte));
    let text = std::str::from_utf8(text).ok()?;
    // A full stop or a colon behind an address is none of it.
    let shorter = || text.strip_suffix(['.', ':']);
    let (address, length, port) =
        split(text).or_else(|| split(shorter()?)).or_else(|| split(shorter()?.strip_suffix(':')?))?;
    cursor.at = start + length;
    if cursor.takes("%") {
        cursor.while_one(16, is_word);
    }
    let port = port.or_else(|| port_behind(cursor)).or_else(|| port_behind_slash(cursor));
    Some(Target { address: Some(address.to_string()), port, ..Target::default() })
}

/// `0.0.0.0/8080`; a number that can be the length of a prefix is none.
fn port_behind_slash(cursor: &mut Cursor<'_>) -> Option<u16> {
    let mut next = *cursor;
    let port = next.takes("/").then(|| next.port()).flatten().filter(|port| *port > 128)?;
    cursor.at = next.at;
    Some(port)
}

/// The address that starts a run of digits, dots and colons, its length, and the port if the run contains one, as in
/// `:::80` and `::1:3000`.
fn split(text: &str) -> Option<(IpAddr, usize, Option<u16>)> {
    if let Some((address, rest)) = text.split_once(':')
        && let Ok(address) = address.parse::<Ipv4Addr>()
    {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let port = rest.get(..digits).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let before = text.len() - rest.len();
        return Some((address.into(), if port.is_some() { before + digits } else { before - 1 }, port));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some((address.into(), text.len(), None));
    }
    if let Some((address, port)) = text.rsplit_once(':')
        && (2..=5).contains(&port.len())
        && let Ok(port) = port.parse::<u16>()
        && port != 0
        && let Some(address) = v6(address)
    {
        return Some((address, text.len(), Some(port)));
    }
    v6(text).map(|address| (address, text.len(), None))
}

fn v6(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A name of a host, and the port behind it: `localhost:80`, `build1.example:80`, `any:8000`, `('localhost', 80)`.
fn host(cursor: &mut Cursor<'_>) -> Option<Target> {
    let name = cursor.while_one(MAX_HOST, |byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let name = std::str::from_utf8(name).ok()?;
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let before = cursor.moved(cursor.at - name.len()).before(2);
    if has_letter && matches!(before, [b'(', b'\'' | b'"']) && matches!(cursor.peek(), Some(b'\'' | b'"')) {
        let port = port_behind(cursor)?;
        return Some(Target { address: Some(name.to_owned()), port: Some(port), ..Target::default() });
    }
    (has_letter && cursor.takes(":")).then_some(())?;
    let port = cursor.port()?;
    let is_place = !cursor.rest().first().is_some_and(|next| *next == b':' || *next == b'-')
        || cursor.rest().get(1).is_none_or(|next| !next.is_ascii_digit());
    let is_host = name.eq_ignore_ascii_case("localhost") || is_introduced(cursor, name, port);
    (is_host && is_place).then(|| Target {
        address: Some(name.to_owned()),
        port: Some(port),
        ..Target::default()
    })
}

/// Whether the word before a name shows that the name is that of a host.
fn is_introduced(cursor: &Cursor<'_>, name: &str, port: u16) -> bool {
    const WORDS: &[&str] = &[
        "on ", "to ", "address ", "for ", "bind ", "at ", "socket ", "addr=", "address=", "host=", "@",
        "tcp ", "udp ",
    ];
    let is_file = name.rsplit('.').next().is_some_and(|last| FILES.contains(&last));
    let length = name.len() + 1 + port.to_string().len();
    let head = Cursor::new(cursor.since(0), cursor.at.saturating_sub(length)).before(12).to_ascii_lowercase();
    let quotes = head.iter().rev().take_while(|byte| b"'\"`(".contains(byte)).count();
    let head = head.get(..head.len() - quotes).unwrap_or_default();
    !is_file && port > 9 && WORDS.iter().any(|word| head.ends_with(word.as_bytes()))
}

/// The port behind an address: `:80`, `', 80)`, ` port 80`, `, port = 80`, `#53`.
pub(super) fn port_behind(cursor: &mut Cursor<'_>) -> Option<u16> {
    let mut next = *cursor;
    let between = next.while_one(8, |byte| BETWEEN.contains(&byte));
    let _ = next.takes("and ");
    if next.takes("port") {
        next.while_one(4, |byte| BETWEEN.contains(&byte));
        let _ = next.takes("tcp/") || next.takes("udp/");
    } else if !matches!(between, [.., b':' | b'#'] | b":[") && !between.contains(&b',') {
        return None;
    }
    let port = next.port()?;
    // A number behind a comma is a port only in a pair: `('127.0.0.1', 80)`, `(0.0.0.0, 143)`.
    let is_pair = between.contains(&b',') && !between.contains(&b':');
    let is_named = next.since(cursor.at).to_ascii_lowercase().windows(4).any(|word| word == b"port");
    let is_closed = matches!(next.peek(), Some(b')' | b']' | b',' | b'}'));
    (!is_pair || is_named || is_closed).then(|| {
        cursor.at = next.at;
        port
    })
}
