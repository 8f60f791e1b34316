//! Recognizes the lines that portbind itself printed into the log, so that they explain nothing.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// Each own line contains one of these, except those that continue another. Part of the search that each line of a log
/// passes.
pub(super) const MARKS: &[&str] = &[
    "portbind",
    r"→  E[A-Z]",
    r"\] × [0-9]",
    "  held by   ",
    "  asked by  ",
    "  why       ",
    "  fix       ",
    "  or        ",
    "  found     ",
    "  says      ",
    "  next      ",
    "  recorded  ",
    "  history   ",
    "  then      ",
    "  note      ",
    "free again  ",
    "times more  ",
    r"refusals?  20[0-9]{2}-",
    r"HOLDER\(S\)",
    "EADDRINUSE",
];

/// A line that portbind prints, behind any prefix of a collector.
static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let labels = r"held\ by|asked\ by|why|fix|or|found|says|next|recorded|history|then|note";
    Regex::new(&format!(
        r#"(?x-u)
        (?:^|[\s|\]])portbind(?:\[\d+\])?:\s                    # messages
        | \{{"schema":"portbind\.                               # JSON
        | \(\d+\)\ \ .*\ \ →\ \ E[A-Z]+                         # text, and what CI systems get of it
        | ^(?:.*\s)?\[[a-z-]{{3,40}}\]\ ×\ \d+\s*$              # heads of the report of run
        | \ \ (?:{labels})\s{{2,10}}\S                          # below them
        | \d\d:\d\d:\d\d(?:\.\d+)?\ \d+\s+\S.*\sE[A-Z]{{3,}}\s+\S.*\s[a-z]+(?:-[a-z0-9]+)*\s*$      # brief
        | \d\d:\d\d:\d\d\.\d+\ \ (?:free\ again|\d+\ times\ more)\ \ 
        | \bTIME\s+PID\s+COMM\b.*HOLDER
        | ======\ (?:end\ of\ )?portbind | ---\ :x:\ portbind: | section_(?:start|end):\d+:portbind_
        "#
    ))
    .ok()
});
/// The first line of a report.
static REPORT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)^\d+ refusals?  20\d\d-\d\d-\d\d \d\d:\d\d:\d\d").ok());
/// The heads of the parts of a report.
const HEADS: &[&str] =
    &["why", "ports", "who refused whom", "swallowed: ", "leaked: ", "gaps", "still bound:"];
/// Columns before a line that continues one with a label.
const INDENT: &[u8] = b"            ";

/// What the lines before were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Foreign,
    /// A line with a label, which further lines may continue.
    Own,
    /// A line of a report.
    Report,
}

/// Follows the lines of a log.
#[derive(Debug, Default)]
pub(super) struct Own {
    before: Before,
}

impl Own {
    /// Whether portbind printed this line. `is_marked`: the line contains one of the marks.
    pub(super) fn takes(&mut self, line: &[u8], is_marked: bool) -> bool {
        let is_match =
            |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_some_and(|one| one.is_match(line));
        self.before = match self.before {
            _ if is_marked && is_match(&REPORT) => Before::Report,
            _ if is_marked && is_match(&OWN) => Before::Own,
            Before::Own if line.is_empty() || line.starts_with(INDENT) => Before::Own,
            Before::Own if line == b"still bound:" => Before::Report,
            Before::Report if is_of_report(line) => Before::Report,
            _ => Before::Foreign,
        };
        self.before != Before::Foreign
    }
}

fn is_of_report(line: &[u8]) -> bool {
    line.is_empty() || line.starts_with(b"    ") || HEADS.iter().any(|head| line.starts_with(head.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::Own;

    fn own(log: &str) -> Vec<bool> {
        let mut own = Own::default();
        log.lines().map(|line| own.takes(line.as_bytes(), true)).collect()
    }

    #[test]
    fn output_of_run_is_skipped() {
        let log = "OSError: [Errno 98] Address already in use\nportbind: python3 (7) ended with status 1 after 0.2s: 1 refusal\n\n[same-program] × 1\n06:37:46.654  python3 (7)  bind tcp 0.0.0.0:8427  →  EADDRINUSE\n  held by   python3 (5)  LISTEN 0.0.0.0:8427   fd 3\n            uid root   bash → python3\n  why       another instance of the same program holds the port        [same-program]\n  fix       use another port: 8428 is free\n  or        stop python3: kill 5\n  then      it ended with status 1, 0.023s later\nnext line";
        let shown = own(log);
        assert_eq!(shown.iter().filter(|own| !**own).count(), 2, "{shown:?}");
    }

    #[test]
    fn other_formats() {
        for line in [
            "{\"schema\":\"portbind.event/1\",\"kind\":\"refusal\"}",
            "web-1  | 12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE",
            "06:37:49.305 27783   python3          bind     tcp     0.0.0.0:8427          EADDRINUSE    python3(27474)           same-program",
            "TIME         PID     COMM             OP       PROTO   ADDRESS               ERROR         HOLDER(S)                CAUSE",
            "06:37:49.971  free again  tcp 127.0.0.1:18018, 0.003s after python3 (28030) was refused",
            "06:37:50.896  14 times more  tcp 127.0.0.1:18018 refused to python3 (28030)        [own-socket]",
            "::error title=bind tcp 0.0.0.0%3A8427 refused::06:37:47.118  python3 (27621)  bind tcp 0.0.0.0:8427  →  EADDRINUSE%0A  held by   x",
            "Nov 29 06:37:47 build1 portbind[77]: portbind: 1 refused = 1 shown + 0 coalesced",
            "======== end of portbind ========",
            "2026-11-29T06:37:47.1234567Z   fix       use another port: 8428 is free",
        ] {
            assert_eq!(own(line), [true], "{line}");
        }
        let report = "2 refusals  2026-11-29 06:37:46\n\nwhy\n     1  same-program  another instance\n\nports\n     1  tcp 8427  registered\n        fix  use another port: 8428 is free\nport 80 is already in use";
        assert_eq!(own(report), [true, true, true, true, true, true, true, true, false]);
    }

    #[test]
    fn other_programs() {
        for line in ["portbinder: x", "why not", "Error: listen EADDRINUSE: address already in use :::3000"] {
            assert_eq!(own(line), [false], "{line}");
        }
    }
}
