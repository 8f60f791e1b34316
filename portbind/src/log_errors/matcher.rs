//! The table of wordings as compiled regular expressions.

use std::sync::LazyLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::log_error::Target;
use super::wording::{TRANSLATIONS, WINDOWS, Wording, expand};
use super::wordings;

/// Every relevant line contains at least one of these cues. Other lines are skipped at once.
const CUES: &[&str] = &[
    "in use",
    "eaddrinuse",
    "addrinuse",
    "already allocated",
    "already running on",
    "same address",
    "failed to bind to",
    "is being used",
    "is already being used",
    "is already used",
    "already used",
    "is taken",
    "is already taken",
    "is occupied",
    "is already occupied",
    r"\[errno 98\]",
];

/// Other meanings of "address", and lines that portbind itself printed.
const OTHERS: &str = r#"(?i)\b(?:e-?mail|mac|wallet|postal|street|billing|phone) address|^\{"schema":"portbind\.|→  EADDRINUSE"#;

/// The usual places of an address in a line, for wordings that leave the format to the program.
const PLACES: &[&str] = &[
    r"(?P<address>\[[0-9A-Fa-f:.]{2,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\*|localhost):{port}",
    r#"(?i)\bport[ =:'"]{1,3}{port}"#,
    r"(?:^|[\s'(]):{port}",
];

/// The compiled table.
pub(super) struct Matcher {
    cues: Regex,
    others: Regex,
    set: RegexSet,
    rows: Vec<Row>,
    places: Vec<Regex>,
}

struct Row {
    wording: &'static Wording,
    pattern: Regex,
    details: Vec<Regex>,
}

/// The row that a line matches.
pub(super) struct Hit {
    pub(super) wording: &'static Wording,
    pub(super) target: Target,
    pub(super) pid: Option<u32>,
}

static TABLE: LazyLock<Result<Matcher, regex::Error>> = LazyLock::new(Matcher::compile);

/// The compiled table; `None` if a row is not a valid regular expression, which a test rules out.
pub(super) fn table() -> Option<&'static Matcher> {
    TABLE.as_ref().ok()
}

impl Matcher {
    pub(super) fn compile() -> Result<Self, regex::Error> {
        let texts = TRANSLATIONS.iter().chain(WINDOWS).map(|text| regex::escape(text));
        let cues: Vec<String> = CUES.iter().map(|cue| (*cue).to_owned()).chain(texts).collect();
        let rows: Vec<Row> = wordings().map(Row::compile).collect::<Result<_, _>>()?;
        let set = RegexSetBuilder::new(rows.iter().map(|row| row.pattern.as_str()))
            .unicode(false)
            .size_limit(1 << 26)
            .dfa_size_limit(1 << 23)
            .build()?;
        Ok(Self {
            cues: RegexBuilder::new(&cues.join("|")).unicode(false).case_insensitive(true).build()?,
            others: regex(OTHERS)?,
            set,
            rows,
            places: PLACES.iter().map(|place| regex(place)).collect::<Result<_, _>>()?,
        })
    }

    /// The first row that a line matches.
    pub(super) fn find(&self, line: &[u8]) -> Option<Hit> {
        if !self.cues.is_match(line) || self.others.is_match(line) {
            return None;
        }
        let row = self.rows.get(self.set.matches(line).iter().next()?)?;
        let found = row.pattern.captures(line)?;
        let mut target = target(&found);
        target.protocol = target.protocol.or_else(|| row.wording.protocol.map(str::to_owned));
        if !target.is_known() && row.wording.programs.is_empty() && row.details.is_empty() {
            target.fill(self.place(line));
        }
        if target.path.is_some() {
            target.protocol = None;
        }
        let pid = text(&found, "pid").and_then(|pid| pid.parse().ok());
        Some(Hit { wording: row.wording, target, pid })
    }

    /// The address in a line near one of `wording`.
    pub(super) fn detail(&self, wording: &Wording, line: &[u8]) -> Option<Target> {
        let row = self.rows.iter().find(|row| std::ptr::eq(row.wording, wording))?;
        row.details.iter().find_map(|detail| detail.captures(line)).map(|found| target(&found))
    }

    /// The only address in a line; empty if the line contains several.
    fn place(&self, line: &[u8]) -> Target {
        for place in &self.places {
            let mut found = place.captures_iter(line).map(|found| target(&found));
            if let Some(first) = found.next() {
                return if found.all(|other| other.port == first.port) { first } else { Target::default() };
            }
        }
        Target::default()
    }
}

impl Row {
    fn compile(wording: &'static Wording) -> Result<Self, regex::Error> {
        let details = wording.details.iter().map(|detail| regex(detail)).collect::<Result<_, _>>()?;
        Ok(Self { wording, pattern: regex(wording.pattern)?, details })
    }
}

fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&expand(pattern)).unicode(false).build()
}

fn text(found: &Captures<'_>, name: &str) -> Option<String> {
    found.name(name).map(|part| String::from_utf8_lossy(part.as_bytes()).into_owned())
}

fn target(found: &Captures<'_>) -> Target {
    let address = text(found, "address").map(|address| address.trim_matches(['[', ']']).to_owned());
    // Port 0 in a log means that the port is unknown; numbers beyond the range of ports are ignored.
    let port = text(found, "port").and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    Target {
        protocol: text(found, "protocol").map(|word| word.to_ascii_lowercase()),
        address: address.filter(|address| !address.is_empty()),
        port,
        path: text(found, "path"),
    }
}
