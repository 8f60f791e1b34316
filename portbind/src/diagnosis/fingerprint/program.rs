//! The parts of a program's name that stay the same from run to run.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::diagnosis::program;
use crate::escape::pattern;

/// Bytes of a name that are kept.
const MAX_NAME: usize = 80;
/// Folders with temporary content, or whose name identifies a location and not the program.
const SCRATCH: [&str; 5] = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/var/folders/"];

/// Separators between the parts of a name.
const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// The parts of a process that a fingerprint uses.
#[derive(Clone, Debug, Default)]
pub struct Program<'a> {
    /// Name of the thread.
    pub comm: &'a str,
    /// Path of the executable.
    pub exe: Option<&'a str>,
    /// Arguments.
    pub args: &'a [String],
}

impl Program<'_> {
    /// The executable's name and, for an interpreter, its script, without versions and numbers; each part is escaped,
    /// so that the name can stand in a sentence.
    pub(super) fn name(&self) -> String {
        let exe = self.exe.map(|exe| exe.strip_suffix(" (deleted)").unwrap_or(exe));
        let mut name = pattern(&word(file(exe.unwrap_or(self.comm))));
        if exe.is_some_and(program::is_interpreter)
            && let Some((option, script)) = program::script(self.args)
        {
            for part in [option, &pattern(&word(file(script)))] {
                if !part.is_empty() {
                    name.push(' ');
                    name.push_str(part);
                }
            }
        }
        name
    }
}

/// An escaped socket path. Below a scratch folder, `*` replaces everything but the last part.
pub(super) fn path(path: &str) -> String {
    if let Some(scratch) = SCRATCH.into_iter().find(|scratch| path.starts_with(scratch)) {
        let below = path.strip_prefix(scratch).unwrap_or_default();
        let folder = if below.contains('/') { "*/" } else { "" };
        return pattern(&cut(format!("{scratch}{folder}{}", word(file(below)))));
    }
    pattern(&cut(path.split('/').map(word_or_nothing).collect::<Vec<_>>().join("/")))
}

fn file(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

fn word_or_nothing(part: &str) -> String {
    if part.is_empty() { String::new() } else { word(part) }
}

/// A uuid, or the random name of mkdtemp(3), mktemp(1) and Python's tempfile.
static RANDOM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let uuid = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}";
    Regex::new(&format!("{uuid}|(?P<tmp>tmp)[._-]?[0-9A-Za-z_]{{6,}}")).ok()
});
/// Separators around a removed part; the last one stays, because it introduces what follows (`.jar`, `.sock`).
static GAP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[-_.]*([-_.])").ok());
/// Letters and digits.
static RUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[0-9A-Za-z]+").ok());

/// A name without the parts that differ from run to run: numbers (versions, pids, ports, workers), hashes, uuids, and
/// the random part of temporary names. `*` replaces a removed beginning.
fn word(name: &str) -> String {
    let (Some(random), Some(gap), Some(run)) = (&*RANDOM, &*GAP, &*RUN) else { return name.to_owned() };
    let kept = random.replace_all(name, "$tmp");
    let kept = run.replace_all(&kept, |found: &Captures<'_>| stable(&found[0]).to_owned());
    let kept = gap.replace_all(&kept, "$1");
    let kept = kept.trim_end_matches(SEPARATORS);
    let is_cut = kept.is_empty() || kept.starts_with(SEPARATORS) && !name.starts_with(SEPARATORS);
    cut(format!("{}{kept}", if is_cut { "*" } else { "" }))
}

/// The stable part of a run of letters and digits.
fn stable(run: &str) -> &str {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let changes = run.as_bytes().windows(2).filter(|pair| digit(&pair[0]) != digit(&pair[1])).count();
    let is_hash = changes > 0 && run.len() >= 7 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_random = changes >= 3 && run.len() >= 8;
    match run.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "v" if changes > 0 => "",
        _ if is_hash || is_random => "",
        name => name,
    }
}

fn cut(mut name: String) -> String {
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.truncate(end.unwrap_or(0));
    name
}

#[cfg(test)]
mod tests {
    use super::{path, word};

    #[test]
    fn words_without_their_differences() {
        for (name, expected) in [
            ("java", "java"),
            ("python3.11", "python"),
            ("php8.2", "php"),
            ("node20", "node"),
            ("redis-server", "redis-server"),
            ("gw0", "gw"),
            ("worker-17", "worker"),
            ("app-1.2.3-SNAPSHOT.jar", "app-SNAPSHOT.jar"),
            ("app-v2.jar", "app.jar"),
            ("server.min.4f9a8b7c.js", "server.min.js"),
            ("tmpx8k_q1ab.sock", "tmp.sock"),
            ("tmp.9XSY1rCfDJ", "tmp"),
            ("log4javaserver", "log4javaserver"),
            ("123e4567-e89b-12d3-a456-426614174000.sock", "*.sock"),
            ("123", "*"),
            ("", "*"),
            ("größe", "größe"),
            ("systemd-resolve", "systemd-resolve"),
            ("x86_64-linux-gnu-ld", "x-linux-gnu-ld"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(word(name), expected, "{name}");
        }
    }

    #[test]
    fn paths_without_their_differences() {
        for (name, expected) in [
            ("/run/app.sock", "/run/app.sock"),
            ("/tmp/pytest-of-ci/pytest-3/app.sock", "/tmp/*/app.sock"),
            ("/tmp/app-812.sock", "/tmp/app.sock"),
            ("/run/user/1000/bus", "/run/user/*/bus"),
            ("@abstract-77", "@abstract"),
            ("/run/a b", "\"/run/a b\""),
            ("", "\"\""),
        ] {
            assert_eq!(path(name), expected, "{name}");
        }
    }
}
