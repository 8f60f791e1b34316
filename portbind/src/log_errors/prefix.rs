//! The prefix of a log message: the program and its process id, as syslog(3) and journalctl(1) print them.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// A name, a pid in brackets, a colon.
static SYSLOG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)(?:^|\s)(?:[A-Za-z0-9_.-]+/)?(?P<program>[A-Za-z][A-Za-z0-9_.@+-]{0,31})\[(?P<pid>[0-9]{1,7})\]: ").ok()
});
/// A prefix ends within this many bytes: time, host and name are shorter.
const WITHIN: usize = 160;

/// Program and process id.
pub(super) fn program(line: &[u8]) -> Option<(String, u32)> {
    let head = line.get(..WITHIN).unwrap_or(line);
    let found = SYSLOG.as_ref()?.captures(head)?;
    let text = |name: &str| std::str::from_utf8(found.name(name)?.as_bytes()).ok();
    Some((text("program")?.to_owned(), text("pid")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn syslog_names_the_program() {
        for (line, expected) in [
            ("Nov 23 12:04:31 build1 sshd[812]: error: Bind to port 22", Some(("sshd", 812))),
            ("2026-11-23T12:04:31+00:00 build1 postfix/master[9]: fatal", Some(("master", 9))),
            ("nginx: [emerg] bind()", None),
            ("[1795435471] unbound[1334:0] error", None),
            ("a[99999999999]: x", None),
        ] {
            assert_eq!(
                program(line.as_bytes()),
                expected.map(|(name, pid)| (name.to_owned(), pid)),
                "{line}"
            );
        }
    }
}
