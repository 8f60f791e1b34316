//! URLs, and paths of sockets.

use super::address::{FILES as SOURCES, address, port_behind};
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
    "listens on ",
    "socket to ",
    "bind ",
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
    let is_socket = is_end(path.as_bytes()) || path.contains("/.s.PGSQL.") || path.contains("/.X11-unix/");
    let is_source = matches!(next.rest(), [b':', b'0'..=b'9', ..]) || next.rest().starts_with(b" on line");
    let is_named = is_introduced || follows_label(&next.moved(start)) || is_refused(&next, path);
    (!is_source && (is_socket || is_named)).then_some(())?;
    cursor.at = next.at;
    Some(target)
}

/// Whether the error follows the path at once, and the path is not that of a program or another file:
/// `'/run/libvirt-sock': Address already in use`.
fn is_refused(cursor: &Cursor<'_>, path: &str) -> bool {
    const OTHERS: &[&str] = &["/bin/", "/sbin/", "/lib", "/dev/", "/proc/", "/sys/", "/etc/", "/share/"];
    const FILES: &[&str] =
        &["conf", "cfg", "log", "lock", "pid", "json", "toml", "yaml", "yml", "ini", "xml"];
    let mut next = *cursor;
    next.while_one(4, |byte| b"'\"`)]: (".contains(&byte));
    let is_error = next.takes("address already in use") || next.takes("address in use");
    let end = path.rsplit('.').next().unwrap_or_default();
    is_error
        && path.matches('/').count() > 1
        && !OTHERS.iter().any(|part| path.contains(part) && !path.starts_with("/var/lib"))
        && !FILES.contains(&end)
        && !SOURCES.contains(&end)
}

/// Whether the words before a path show that it is that of a socket, and its form does not speak against it.
fn follows_label(cursor: &Cursor<'_>) -> bool {
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

/// A path or an abstract name: up to its closing quote, or up to a blank, a quote or a bracket.
fn path_here(cursor: &mut Cursor<'_>) -> Option<Target> {
    let is_path = match cursor.rest() {
        [b'/', next, ..] => is_word(*next) || *next == b'.' || *next == b'/',
        [b'@', next, ..] => is_word(*next) || *next == b'/',
        _ => false,
    };
    is_path.then_some(())?;
    let text = quoted(cursor).unwrap_or_else(|| unquoted(cursor));
    cursor.at += text.len();
    // `unix:///run/x` leaves three slashes.
    let path = String::from_utf8_lossy(text);
    let path = match path.strip_prefix("//") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => path.into_owned(),
    };
    (path.len() > 1).then(|| Target { path: Some(path), ..Target::default() })
}

/// The path between two quotes, which may contain blanks, `;` and brackets; `None` if the quotes hold more than it.
fn quoted<'a>(cursor: &Cursor<'a>) -> Option<&'a [u8]> {
    let quote = cursor.before(1).first().copied().filter(|byte| b"'\"`".contains(byte))?;
    let rest = cursor.rest();
    let length = rest.iter().take(MAX_PATH).position(|byte| *byte == quote || *byte < 0x20)?;
    let text = rest.get(..length)?;
    let text = text.strip_suffix(b"\\").unwrap_or(text);
    let holds_more = text.windows(2).any(|pair| matches!(pair, [b':' | b',', b' ']));
    (!holds_more && (is_end(text) || !text.contains(&b' '))).then_some(text)
}

/// The path up to a blank or a bracket; beyond a bracket if only then it ends as the names of sockets do.
fn unquoted<'a>(cursor: &Cursor<'a>) -> &'a [u8] {
    let up_to = |ends: &[u8]| {
        let is_part = |byte: &&u8| !ends.contains(byte) && **byte >= 0x20;
        let rest = cursor.rest();
        let text = rest.get(..rest.iter().take(MAX_PATH).take_while(is_part).count()).unwrap_or_default();
        let dots = text.iter().rev().take_while(|byte| b".?!".contains(byte)).count();
        text.get(..text.len() - dots).unwrap_or_default()
    };
    let (short, long) = (up_to(b" \t'\"`<>()[]{},;:|"), up_to(b" \t'\"`<>:|"));
    if is_end(short) || !is_end(long) { short } else { long }
}

/// Whether the name is one as sockets have.
fn is_end(path: &[u8]) -> bool {
    ENDS.iter().any(|end| path.ends_with(end.as_bytes()))
}

/// The path of a socket that starts with no slash, behind a word that introduces it: `listen unix app.sock`.
pub(super) fn relative(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let path = next.while_one(MAX_PATH, |byte| is_word(byte) || b".-/".contains(&byte));
    let is_socket = path.ends_with(b".sock") || path.ends_with(b".socket");
    let before = cursor.before(12).to_ascii_lowercase();
    let head = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(&before);
    let words = ["unix ", "unix:", "unixgram ", "unixpacket ", "socket ", "socket file ", "bind "];
    let is_named = words.iter().any(|word| head.ends_with(word.as_bytes()));
    (is_socket && is_named && path.len() >= 6).then_some(())?;
    cursor.at = next.at;
    Some(Target { path: Some(String::from_utf8_lossy(path).into_owned()), ..Target::default() })
}

/// The socket of a display of X11 on which a server runs: `already active for display 1`, `already running as :1`.
pub(super) fn display(cursor: &mut Cursor<'_>) -> Option<Target> {
    let mut next = *cursor;
    let before = cursor.before(16).to_ascii_lowercase();
    let is_named = match next.takes("display ") {
        true => before.ends_with(b"active for ") || before.ends_with(b"running on "),
        false => next.peek() == Some(b':') && before.ends_with(b"running as "),
    };
    is_named.then_some(())?;
    let _ = next.takes(":");
    let number = String::from_utf8_lossy(next.while_one(4, |byte| byte.is_ascii_digit())).into_owned();
    let number: u16 = number.parse().ok()?;
    next.peek().is_none_or(|byte| !is_word(byte)).then_some(())?;
    cursor.at = next.at;
    Some(Target { path: Some(format!("/tmp/.X11-unix/X{number}")), ..Target::default() })
}
