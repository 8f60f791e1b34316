//! The table of wordings as compiled regular expressions.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::grammar::{self, Reading, abroad};
use super::log_error::Target;
use super::own::MARKS;
use super::wording::{Wording, expand, texts};
use super::wordings;

/// Every line that a row of the table matches contains at least one of these cues.
const CUES: &[&str] = &[
    "in use",
    "eaddrinuse",
    "addrinuse",
    "addressinuse",
    "already allocated",
    "already running on",
    "same address",
    "failed to bind to",
    "is being used",
    "already used",
    "already being used",
    "is taken",
    "already taken",
    "occupied",
    r"\[(?:win)?err(?:no|or) (?:98|48|10048)\]",
];

/// What lines contain that the grammar may read, beside the cues.
const WORDS: &[&str] = &[
    "bind",
    "bound",
    "listen",
    "forwarding",
    "already",
    "in-use",
    "used by",
    "taken by",
    "held by",
    "ports? :?(?:[0-9]+ )?(?:is |are |could |can|busy|taken|occupied|blocked)",
    "(?:could not|cannot|can't) be (?:used|bound|opened|allocated)",
    "using port",
    "opening [^.]{0,30}(?:socket|endpoint)",
    "open [^.]{0,30}(?:socket|endpoint)",
    r"err(?:no|or)?[=: ]+-?(?:98|48|10048)\b",
    "conflict",
    "server is already running",
    "(?:free|available|open|empty|unused|occupied|busy) ports?",
    "(?:another|other|existing) [^ ]+ (?:[^ ]+ )?(?:[^ ]+ )?(?:running|listening|started)",
    "(?:open|start|create|acquire|allocate|expose|claim|grab|reserve|use|get) [^.]{0,40}ports?",
];

/// Other meanings of "address".
const OTHERS: &str = r"(?i)\b(?:e-?mail|mac|wallet|postal|street|billing|phone) address";

/// The words with which a program says where it listens.
const LISTENS: &str = r"(?i)\b(?:start(?:ing|ed|s)?|listen(?:ing|s)?|bind(?:ing|s)?|serv(?:e|es|ing|er)|launch(?:ing|ed)?|running|expos(?:e|ing)|open(?:ing)?)\b";
/// The words with which it says something else.
const CONNECTS: &str = r"(?i)connect|upstream|database|client|peer|remote|backend|\bfrom\b|proxy|target|forward|health|metrics at|debugger";
/// A port alone in a line, as objects are printed.
const FIELD: &str = r#"^[\s|]*['"]?port['"]?\s*[:=]\s*['"]?{port}['"]?,?\s*\}?\s*$"#;

/// The compiled table.
pub(super) struct Matcher {
    /// What any line of interest contains: a cue, a word for the grammar, or a mark of portbind.
    any: Regex,
    cues: Regex,
    words: Regex,
    abroad: Regex,
    others: Regex,
    set: RegexSet,
    rows: Vec<Row>,
    listens: Regex,
    connects: Regex,
    field: Regex,
    hint: Regex,
}

struct Row {
    wording: &'static Wording,
    /// Compiled when a line first matches it in the set.
    pattern: OnceLock<Option<Regex>>,
    details: Vec<Regex>,
}

/// The row that a line matches.
pub(super) struct Hit {
    pub(super) wording: &'static Wording,
    /// One for each refused bind; none if the line names nothing.
    pub(super) targets: Vec<Target>,
    pub(super) pid: Option<u32>,
}

static TABLE: LazyLock<Result<Matcher, regex::Error>> = LazyLock::new(Matcher::compile);

/// The compiled table; `None` if a row is not a valid regular expression, which a test rules out.
pub(super) fn table() -> Option<&'static Matcher> {
    TABLE.as_ref().ok()
}

impl Matcher {
    pub(super) fn compile() -> Result<Self, regex::Error> {
        let (ascii, other): (Vec<String>, Vec<String>) =
            texts().into_iter().partition(|text| text.is_ascii());
        let (ascii, other) = (ascii.join("|"), other.join("|"));
        let words = format!("{}|{}", WORDS.join("|"), abroad::CUES.join("|"));
        let cues = format!("{}|{ascii}", CUES.join("|"));
        let any = format!("{cues}|{words}|{}", MARKS.join("|"));
        let abroad = format!("{}|{}|{other}", abroad::IN_USE, abroad::RUNNING);
        let rows: Vec<Row> = wordings().map(Row::compile).collect::<Result<_, _>>()?;
        let set = RegexSetBuilder::new(rows.iter().map(|row| expand(row.wording.pattern)))
            .unicode(false)
            .size_limit(1 << 26)
            .dfa_size_limit(1 << 23)
            .build()?;
        Ok(Self {
            any: insensitive(&any)?,
            cues: insensitive(&format!("{cues}|{other}"))?,
            words: insensitive(&words)?,
            abroad: insensitive(&abroad)?,
            others: regex(OTHERS)?,
            set,
            rows,
            listens: regex(LISTENS)?,
            connects: regex(CONNECTS)?,
            field: regex(FIELD)?,
            hint: regex(abroad::HINT)?,
        })
    }

    /// Whether a line may be of interest at all; most lines are not.
    pub(super) fn sees(&self, line: &[u8]) -> bool {
        self.any.is_match(line) || self.is_abroad(line)
    }

    /// Whether a line in letters beyond ASCII says in another language that something is in use or runs.
    fn is_abroad(&self, line: &[u8]) -> bool {
        !line.is_ascii() && self.abroad.is_match(line)
    }

    /// What a line says, by the first row that matches it, or by the grammar.
    pub(super) fn find(&self, line: &[u8]) -> Option<Hit> {
        if self.others.is_match(line) {
            return None;
        }
        let row = self.cues.is_match(line).then(|| self.set.matches(line).iter().next()).flatten();
        let row = row.and_then(|row| self.rows.get(row));
        match row.filter(|row| !row.wording.is_of_any()) {
            Some(row) => row.hit(line),
            // Whether words that any program may print say it, the grammar decides.
            None if row.is_some()
                || self.words.is_match(line)
                || self.cues.is_match(line)
                || self.is_abroad(line) =>
            {
                let Reading { wording, targets } = grammar::read(line)?;
                Some(Hit { wording: row.map_or(wording, |row| row.wording), targets, pid: None })
            }
            None => None,
        }
    }

    /// The address in a line near one of `wording`.
    pub(super) fn detail(&self, wording: &Wording, line: &[u8]) -> Option<Target> {
        let row = self.rows.iter().find(|row| std::ptr::eq(row.wording, wording))?;
        row.details.iter().find_map(|detail| detail.captures(line)).map(|found| target(&found))
    }

    /// Where a line says that a program starts to listen.
    pub(super) fn listening(&self, line: &[u8]) -> Option<Target> {
        let may = self.listens.is_match(line) && !self.connects.is_match(line);
        may.then(|| grammar::listening(line)).flatten()
    }

    /// The port in a line with a hint.
    pub(super) fn hint(&self, line: &[u8]) -> Option<Target> {
        self.hint.is_match(line).then(|| grammar::only_port(line)).flatten()
    }

    /// The port or path that is alone in a line.
    pub(super) fn field(&self, line: &[u8]) -> Option<Target> {
        self.field.captures(line).map(|found| target(&found)).or_else(|| grammar::alone(line))
    }
}

impl Row {
    fn compile(wording: &'static Wording) -> Result<Self, regex::Error> {
        let details = wording.details.iter().map(|detail| regex(detail)).collect::<Result<_, _>>()?;
        Ok(Self { wording, pattern: OnceLock::new(), details })
    }

    fn hit(&self, line: &[u8]) -> Option<Hit> {
        let pattern = self.pattern.get_or_init(|| regex(self.wording.pattern).ok());
        let found = pattern.as_ref()?.captures(line)?;
        let pid = text(&found, "pid").and_then(|pid| pid.parse().ok());
        let mut targets = vec![target(&found)];
        let [named] = targets.as_mut_slice() else { return None };
        if let Some(port) = named.port.filter(|_| named.address.is_none()) {
            named.address = grammar::address_of(line, port);
        }
        if named.is_known() && is_said_twice(line) {
            // The same words once more, about another address.
            let more = grammar::read(line).into_iter().flat_map(|read| read.targets);
            let more: Vec<Target> = more.filter(|other| other.is_known() && !other.agrees(named)).collect();
            targets.extend(more);
        } else if !named.is_known()
            && let Some(read) = grammar::read(line).filter(|read| !read.targets.is_empty())
        {
            let address = named.address.take();
            targets = read.targets;
            targets
                .iter_mut()
                .for_each(|target| target.address = target.address.take().or_else(|| address.clone()));
        }
        for target in &mut targets {
            target.protocol = target.protocol.take().or_else(|| self.wording.protocol.map(str::to_owned));
            if target.path.is_some() {
                target.protocol = None;
            }
        }
        Some(Hit { wording: self.wording, targets, pid })
    }
}

/// Whether a line says more than once that something is in use.
fn is_said_twice(line: &[u8]) -> bool {
    line.windows(6).filter(|words| *words == b"in use").nth(1).is_some()
}

fn insensitive(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).case_insensitive(true).dfa_size_limit(1 << 23).build()
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
