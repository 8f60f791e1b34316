//! URLs, and paths of sockets.

use super::address::{address, port_behind};
use super::cursor::{Cursor, is_word};
use crate::log_errors::log_error::Target;

/// The longest path of a socket (`sun_path` has 108 bytes); logs also name longer ones, which were cut.
const MAX_PATH: usize = 256;
/// Schemes of URLs with a path of a socket.
const LOCAL: &[&str] = &["unix", "ipc", "local", "npipe", "unixgram"];
/// Ends of the names of sockets.
const ENDS: &[&str] = &[".sock", ".socket", ".ctl", ".ipc", "/socket", ".s", ".pipe", ".ctrl"];
/// Words that introduce the path of a socket.
const WORDS: &[&str] = &[
    "unix ",
    "unixgram ",
    "unixpacket ",
    "unix:",
    "unix domain socket ",
    "socket ",
    "socket: ",
    "socket at ",
    "socket file ",
    "path ",
    "path=",
    "path: ",
    "socket path ",
    "listen on ",
    "listening on ",
    "bind to ",
    "--listen ",
    "in use ",
    "in use: ",
    "address ",
    "address: ",
    "file: ",
];

/// `http://127.0.0.1:80/x`, `unix:///run/x`, `http://unix:/run/x`. `None` in the answer: a URL without a port.
pub(super) fn url(cursor: &mut Cursor<'_>) -> Option<Option<Target>> {
    let mut next = *cursor;
    let scheme = next.while_one(12, |byte| byte.is_ascii_alphanumeric() || b"+-".contains(&byte));
    let scheme = String::from_utf8_lossy(scheme).to_ascii_lowercase();
    next.takes("://").then_some(())?;
    let target = match LOCAL.contains(&scheme.as_str()) || next.takes("unix:") {
        true => path_here(&mut next),
        false => authority(&mut next, &scheme),
    };
    next.while_one(MAX_PATH, |byte| !b" \t'\"`<>)],;".contains(&byte));
    cursor.at = next.at;
    Some(target)
}

fn authority(cursor: &mut Cursor<'_>, scheme: &str) -> Option<Target> {
    let protocol = Some(if scheme.contains("udp") { "udp" } else { "tcp" }.to_owned());
    let mut host = *cursor;
    if let Some(target) = address(&mut host).filter(|target| target.port.is_some()) {
        cursor.at = host.at;
        return Some(Target { protocol, ..target });
    }
    let name = cursor.while_one(64, |byte| byte.is_ascii_alphanumeric() || b".-*_".contains(&byte));
    let name = String::from_utf8_lossy(name).into_owned();
    let port = (cursor.peek() == Some(b':')).then(|| port_behind(cursor)).flatten()?;
    Some(Target {
        protocol,
        address: Some(name).filter(|name| !name.is_empty()),
        port: Some(port),
        path: None,
    })
}

/// The path of a socket at the cursor, if it can be one.
pub(super) fn socket(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let mut is_introduced = false;
    for word in ["unix:path=", "unix:abstract=", "unix:"] {
        if next.takes(word) {
            is_introduced = true;
            break;
        }
    }
    let start = next.at;
    let target = path_here(&mut next)?;
    let path = target.path.as_deref()?;
    let is_socket = ENDS.iter().any(|end| path.ends_with(end))
        || path.contains("/.s.PGSQL.")
        || path.contains("/.X11-unix/");
    let is_source = matches!(next.rest(), [b':', b'0'..=b'9', ..]) || next.rest().starts_with(b" on line");
    let is_named = is_introduced || is_named(&next.moved(start));
    (!is_source && (is_socket || is_named)).then_some(())?;
    cursor.at = next.at;
    Some(target)
}

/// Whether the words before a path show that it is that of a socket, and its form does not speak against it.
fn is_named(cursor: &Cursor<'_>) -> bool {
    let before = cursor.before(24).to_ascii_lowercase();
    let quotes = before.iter().rev().take_while(|byte| b"'\"`([ ".contains(byte)).count();
    let head = before.get(..before.len() - quotes).unwrap_or_default();
    let with_blank = [head, b" "].concat();
    let is_word =
        WORDS.iter().any(|word| head.ends_with(word.as_bytes()) || with_blank.ends_with(word.as_bytes()));
    let path = cursor.rest();
    let length = path.iter().take_while(|byte| !b" '\"`:,)".contains(byte)).count();
    let name = path.get(..length).unwrap_or_default();
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    is_word && !name.starts_with(b"/dev/") && (!last.contains(&b'.') || last.starts_with(b"."))
}

/// A path or an abstract name: from a slash or an at sign up to a blank, a quote or a bracket.
fn path_here(cursor: &mut Cursor<'_>) -> Option<Target> {
    let start = cursor.at;
    let is_path = match cursor.rest() {
        [b'/', next, ..] => is_word(*next) || *next == b'.' || *next == b'/',
        [b'@', next, ..] => is_word(*next) || *next == b'/',
        _ => false,
    };
    is_path.then_some(())?;
    cursor.while_one(MAX_PATH, |byte| !b" \t'\"`<>()[]{},;:|".contains(&byte) && byte >= 0x20);
    let text = cursor.since(start);
    let dots = text.iter().rev().take_while(|byte| b".?!".contains(byte)).count();
    let text = text.get(..text.len() - dots).unwrap_or_default();
    // `unix:///run/x` leaves three slashes.
    let path = String::from_utf8_lossy(text);
    let path = match path.strip_prefix("//") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => path.into_owned(),
    };
    (path.len() > 1).then(|| Target { path: Some(path), ..Target::default() })
}
