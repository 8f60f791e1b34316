//! What a line says: that an address is in use, that a bind failed, or that something runs already.

use std::sync::LazyLock;

use regex::bytes::{Match, Regex, RegexBuilder};

use super::abroad;
use crate::log_errors::wording::expand;

/// The most claims of a line that are looked at.
const MAX_CLAIMS: usize = 12;
/// The bytes of a line in which claims are searched for.
const WITHIN: usize = 8192;

/// The number of patterns in English; the others are of other languages.
const ENGLISH: usize = 4;

/// What a claim says, from the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The kernel's error, by its text, name or number: a refused bind, wherever it was.
    Error,
    /// A bind or a listen that failed, with no other reason beside it.
    Failed,
    /// A port, an address or a path is in use.
    InUse,
    /// Something runs or listens already.
    Running,
}

/// A claim, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it is in another language than English.
    is_abroad: bool,
}

/// The patterns of claims, and what takes claims back.
pub(super) struct Claims {
    kinds: [(Kind, Regex); 6],
    numbers: Regex,
    sockets: Regex,
    without_place: Regex,
    port_in_use: Regex,
    /// The word "port" in any language.
    port: Regex,
    server_runs: Regex,
    /// A number of ports or other things that are in use.
    counted: [Regex; 2],
    other_reason: Regex,
    other_subject: Regex,
    question: Regex,
    fails: Regex,
    supposed: [Regex; 3],
    supposed_behind: Regex,
    denied: [Regex; 2],
    quoted: Regex,
}

/// The kernel's error by its text and its names.
const ERROR: &str = r"{used}|\b(?i:address|addr|socket|endpoint)(?i: is| are| was)?(?i: already| currently)? in use\b|(?i:\baddress already (?:used|taken|bound)\b)|-?\bEADDRINUSE\b|\beaddrinuse\b|\b(?i:addr(?:ess)?inuse(?:exception|error)?)\b";
/// The kernel's error by its number; only beside a word of sockets.
const NUMBERS: &str = r"(?i:\b(?:errno|error|err|code|errcode)\b[^0-9a-z]{0,5}(?:code[^0-9a-z]{0,3}|number[^0-9a-z]{0,3})?-?(?:98|10048)\b)|(?i:\berrno[^0-9a-z]{0,5}48\b)|[\[(]-?98[\])]|\((?:98|48):|\(0x2740\)";
const SOCKETS: &str =
    r"(?i)\b(?:\w*_)?(?:bind|binding|listen|listening|listener|socket|sockets|port|address|bound)\b";
/// Words that a bind failed.
const FAILED: &str = r"(?i)\b(?:can ?not|can'?t|could ?n(?:o|')?t|could not|unable to|fail(?:ed|s|ure|ing)?(?: to| while| in| on)?|errors?(?: while| in| when)?|problems?|exception)(?::|,|'| -)?(?: [^ .:;]{1,20}){0,3}? -{0,2}(?:re-?)?(?:bind|binding|listen|listening)\b|\b\w{0,40}(?:bind|binding|listen|listening)(?:\([^()]{0,60}\))?(?:[^.;]|\.[0-9a-z]){0,60}?\b(?:failed|error|failure)\b|\b(?:could not|can ?not|can't|couldn't|unable to|failed to|failed|failure)(?: [^ .:;]{1,20}){0,4} (?:listener|listening sockets?|server socket|listen socket|forwarding|host forwarding rule|listen port|userland proxy)\b|\bforwarding failed\b|\b(?:could not|can ?not|can't|couldn't|unable to|failed to|failed|error) open(?:ing)?(?: [^ .:;]{1,20}){0,3} (?:sockets?|endpoints?|ports?)\b|\b(?:could not|can ?not|can't|couldn't|unable to|failed to)(?: open| start| create| acquire| allocate| expose| claim| grab| reserve| use| get)(?: [^ .:;]{1,20}){0,4} ports?\b";
/// Words that something is in use. They need a port, an address or a path beside them.
const IN_USE: &str = r"(?i)\b(?:in use|in-use|already (?:been )?(?:used|bound|taken|occupied|allocated|reserved|assigned|opened|claimed|exposed|exists)|being used|(?:used|occupied|taken|held|blocked) by (?:another|other|some|a |an |the |process|pid|program)|(?:is|are|was|seems|be) (?:already |currently |probably )?(?:taken|occupied|busy|blocked)|port[ :]{1,2}[0-9]{2,5} (?:busy|taken|occupied|blocked)|ports? conflict|conflicting ports?|no (?:free|available|open|empty|unused) ports?|(?:can ?not|can't|could not|couldn't|failed to|unable to) find (?:an? |any )?(?:free|available|open|empty|unused) ports?|ports? (?:\S{1,8} )?(?:is |are )?not (?:free|available)|(?:could not|cannot|can't) be (?:used|bound|opened|allocated)|is using port|is not open on [^,]{1,60}, could not start)\b";
/// Words that something runs already. They need a port, an address or a path beside them.
const RUNNING: &str = r"(?i)\balready (?:be |been )?(?:running|listening|listens?|active|started|serving|up)\b|\b(?:another|other|some(?:thing| other)|existing)(?: [^ ]{1,24}){1,5}? (?:running|listening|listens?|started|serving)\b";
/// Words beside a failed bind that make it a refusal even without a port or path.
const WITHOUT_PLACE: &str = r"(?i)\b(?:bind(?:ing)?|open(?:ing)?)\b[^.;:]{0,30}\b(?:sockets?|ports?|address(?:es)?|server|listener)\b|\blisten(?:ing)? sockets?\b|\blisten(?:ing)? (?:error|failed)\b[^.;]{0,20}\bports?\b";
/// Words that a port is in use, of which the line does not say which.
const PORT_IN_USE: &str = r"(?i)\bports?\b[^.;]{0,24}\b(?:in use|used|taken|bound|occupied|allocated)\b|\b(?:listening|running) on (?:a|the|this|that|its) port\b|\bno (?:free|available|open|empty|unused) ports?\b[^.;]{0,20}\b(?:found|left|range)\b|\bfind (?:an? |any )?(?:free|available|open|empty|unused) ports?\b";
/// A server that runs already, with its process id, or beside listeners: this one did not even bind, and names no port.
const SERVER_RUNS: &str = r"(?i)\bserver is already running\b.{0,160}?(?:\bpid\b|\.pid\b)|listeners?\b.{0,16}\bserver already running\b";
/// A number of ports that are in use, and a number of other things.
const COUNTED: [&str; 2] = [
    r"(?i)\b[0-9]+ (?:\w{1,12} )?ports? (?:are |were |is )?$",
    r"(?i)\b[0-9]+ (?:workers?|connections?|threads?|sessions?|slots?|clients?|sockets|files?|handles?|buffers?|bytes|[kmgt]i?b|pages|units|cores|gpus?|seats|licen[cs]es) (?:are |were |is )?$|\b(?:connections|workers|threads|sessions|slots|clients|handles|buffers) (?:are |were )?$",
];
/// Words before a claim: what is in use is something else.
const OTHER_SUBJECT: &str = r#"(?i)\b(?:variable|identifier|symbol|parameter|argument|lifetime|binding|(?:user|nick|login|account|container|image|volume|network|package)s?(?:[ -]?name)?) (?:['"`]|\xe2\x80[\x98-\x9f])|\b(?:serial|usb|com|gpu|hdmi|switch|parallel|printer|midi|audio|pci|sata) ports?\b|\b(?:mount|tag|branch|symlink|directory|folder)\b"#;
/// Words before a claim that make it a question, unless the line says that something failed.
const QUESTION: &str = r"(?i)^(?:\W|info|note|hint|tip)*(?:why )?(?:is|are) (?:the |your |another |any )?(?:port|ports|address|program|process)\b";
const FAILS: &str =
    r"(?i)\bfail|\berror|\bcan(?:not|'t)|\bcould ?n[o']t|\bcould not|\bunable|exception|fatal";
/// Another reason for a failed bind.
const OTHER_REASON: &str = r"(?i)permission|\bdenied|\bconnect(?:ing)? to\b|\bopen(?:ing)?\b[^.;]{0,30}\bsocket to\b|\bconnection (?:to|from)\b|\beacces|\beperm\b|not permitted|forbidden|assign requested|can'?t assign|eaddrnotavail|not available|unavailable|no such|not found|enoent|\binvalid|\beinval|refused|time[d ]?-?out|unreachable|unsupported|not supported|eafnosupport|too many|emfile|out of memory|\bresolve|unknown host|name or service|bad (?:file|address|descriptor|port)|out of range|not a (?:valid|socket)|\bmissing|\bparameters?\b|(?:bind|bound) variable|\bstatement|\bcolumn|\btextures?\b|framebuffer|key ?bindings?|data ?binding|\bvolumes?\b|\bmount|\bdn\b|\bldap|credentials|password|\bcertificate|undefined|\bnull\b|syntax|interrupted|\b(?:errno|os error|error)[ :=(]{1,2}(?:[0-8]?[0-9]|9[0-79]|[1-9][0-9]{2,})\b";
/// Words before a claim that make it a supposition or a rule.
const SUPPOSED: &str = r"(?i)\b(?:whether|checking|checks?(?: if| that| whether)|if|unless|until|ensure|verify|verifying|make sure|in case|to see|avoids?|avoiding|should(?:n't)?|must|would|prevents?|preventing|allow(?:s|ed|ing)?|expect(?:s|ed|ing)?|nothing|wait(?:s|ing)? for|without|support(?:s|ed)?|handle[sd]?|handling|detect(?:s|ion|ing)?|fix(?:e[sd])?:?|when(?:ever)? (?:the|a|an) (?:port|address))\b";
/// Words before a claim of what is in use or runs that make it an instruction, or something that is past or wanted.
const WANTED: &str = r"(?i)\b(?:find(?:ing)? (?:out )?(?:the|which|what|who)|see (?:which|what)|(?:which|what) (?:process|program|application)|lsof|fuser|netstat|is (?:now |again )?free|stop(?:s|ped|ping)?|kill(?:s|ed|ing)?|connected to|attached to|reus(?:es?|ed|ing))\b";
/// Words right before a claim that deny it.
const DENIED: &str = r"(?i)(?:\bnot|n't|\bnever|\bno (?:other )?(?:process|program|application|service|server|container)|\bno longer|\bnothing|\bnobody|\bnone)(?: \w{1,12}){0,2} $";
/// Lines that quote: results of tests, source text, diffs, one line for a commit.
const QUOTED: &str = r#"(?x)
    (?:^|\|\ )\s*(?:ok|not\ ok)\ \d+\b | \.\.\.\s+(?:ok|ignored|FAILED|passed)\b | (?:✓|✔|√|✗|✘|×|○)\  | ---\ (?:PASS|FAIL|SKIP): | ===\ (?:RUN|PAUSE|CONT)\b
    | \b(?:PASSED|SKIPPED|XFAIL|XPASS)\b | ^\s*\d+\s*\|\s | ^\s*-->\s | ^\s*(?:\#\s*define|\#include|case\s|//|/\*|\*\s|<!--)
    | (?:==|!=|&&|\|\|)\s | \b(?:ErrorKind|Errno|errno|libc|syscall|unix|socket|os)(?:::|\.)E?A?ddr_?In_?Use\b | \b(?:libc|syscall|unix|errno|Errno|os)(?:::|\.)EADDRINUSE\b[^)\s>]*(?:[,;:{]|$)
    | (?:^|\|\ )\s*[+-]?\s*(?:return|raise|throw|assert!?|(?:e?println|panic|write|format)!|print|f?printf|(?:console|log|logger|logging)\.\w+)\b[\w.:\ ]*\(
    | \bE?ADDR_?IN_?USE(?:'|\xe2\x80\x99)\ (?:redefined|undeclared|was\ not\ declared) | (?:^|\|\ )npm\ (?:WARN|warn)\ deprecated\b
    | ^[0-9a-f]{7,12}\ [^|]*$ | ^(?:diff\ --git|index\ [0-9a-f]+\.\.|@@\ -|\+\+\+\ |---\ [ab]/) | EADDRINUSE\s*(?:=>|=\s*\d|,\s*$) | \bkind\(\)
"#;

static CLAIMS: LazyLock<Result<Claims, regex::Error>> = LazyLock::new(Claims::compile);

/// The compiled patterns; `None` if one is no valid regular expression, which a test rules out.
pub(super) fn claims() -> Option<&'static Claims> {
    CLAIMS.as_ref().ok()
}

impl Claims {
    pub(super) fn compile() -> Result<Self, regex::Error> {
        Ok(Self {
            kinds: [
                (Kind::Error, regex(ERROR)?),
                (Kind::Failed, regex(FAILED)?),
                (Kind::InUse, regex(IN_USE)?),
                (Kind::Running, regex(RUNNING)?),
                (Kind::InUse, regex(&format!("(?i){}", abroad::IN_USE))?),
                (Kind::Running, regex(&format!("(?i){}", abroad::RUNNING))?),
            ],
            numbers: regex(NUMBERS)?,
            sockets: regex(SOCKETS)?,
            without_place: regex(WITHOUT_PLACE)?,
            port_in_use: regex(PORT_IN_USE)?,
            port: regex(abroad::PORT)?,
            server_runs: regex(SERVER_RUNS)?,
            counted: [regex(COUNTED[0])?, regex(COUNTED[1])?],
            other_reason: regex(OTHER_REASON)?,
            other_subject: regex(OTHER_SUBJECT)?,
            question: regex(QUESTION)?,
            fails: regex(FAILS)?,
            supposed: [regex(SUPPOSED)?, regex(WANTED)?, regex(abroad::SUPPOSED)?],
            supposed_behind: regex(abroad::SUPPOSED_BEHIND)?,
            denied: [regex(DENIED)?, regex(abroad::DENIED)?],
            quoted: regex(QUOTED)?,
        })
    }

    /// The claims of a line from left to right that it does not take back.
    pub(super) fn read(&self, line: &[u8]) -> Vec<Claim> {
        let line = line.get(..WITHIN).unwrap_or(line);
        let mut found = Vec::new();
        for (index, (kind, pattern)) in self.kinds.iter().enumerate() {
            let all = pattern.find_iter(line).take(MAX_CLAIMS);
            let is_abroad = index >= ENGLISH;
            found.extend(all.map(|part| claim(*kind, &part, is_abroad)));
        }
        if let Some(number) = self.numbers.find(line).filter(|_| self.sockets.is_match(line)) {
            found.push(claim(Kind::Error, &number, false));
        }
        if found.is_empty() || self.quoted.is_match(line) {
            return Vec::new();
        }
        let has_error = found.iter().any(|claim| claim.kind == Kind::Error);
        let has_other_reason = !has_error && self.other_reason.is_match(line);
        found.retain(|claim| match claim.kind {
            Kind::Error => !self.supposed[0].is_match(sentence_before(line, claim.start)),
            Kind::Failed => !has_other_reason,
            Kind::InUse | Kind::Running => !self.is_taken_back(line, claim),
        });
        found.sort_unstable_by_key(|claim| claim.start);
        found
    }

    /// Whether the claim counts although the line names no port, address or path.
    pub(super) fn needs_no_place(&self, line: &[u8], claim: &Claim) -> bool {
        let around = |before: usize, after: usize| {
            let (from, to) = (claim.start.saturating_sub(before), (claim.end + after).min(line.len()));
            line.get(from..to).unwrap_or_default()
        };
        match claim.kind {
            Kind::Error => true,
            Kind::Failed => self.without_place.is_match(around(0, 40)),
            Kind::Running if self.server_runs.is_match(around(40, 80)) => true,
            Kind::InUse | Kind::Running if claim.is_abroad => self.port.is_match(around(40, 24)),
            Kind::InUse | Kind::Running => {
                let before = line.get(claim.start.saturating_sub(40)..claim.start).unwrap_or_default();
                self.port_in_use.is_match(around(40, 24)) && !self.counted[0].is_match(before)
            }
        }
    }

    /// Whether a claim that something is in use or runs is denied, supposed or asked, or about something else.
    fn is_taken_back(&self, line: &[u8], claim: &Claim) -> bool {
        let words = sentence_before(line, claim.start);
        let close = words.get(words.len().saturating_sub(48)..).unwrap_or(words);
        let behind = line.get(claim.end..).unwrap_or_default();
        self.supposed.iter().any(|supposed| supposed.is_match(words))
            || self.denied.iter().any(|denied| denied.is_match(close))
            || self.supposed_behind.is_match(behind)
            || self.counted[1].is_match(close)
            || self.other_subject.is_match(words)
            || self.question.is_match(words) && behind.contains(&b'?') && !self.fails.is_match(line)
    }
}

fn claim(kind: Kind, part: &Match<'_>, is_abroad: bool) -> Claim {
    Claim { kind, start: part.start(), end: part.end(), is_abroad }
}

/// The words before an index, from the start of their sentence.
fn sentence_before(line: &[u8], at: usize) -> &[u8] {
    let before = line.get(..at).unwrap_or_default();
    let is_end = |pair: &[u8]| matches!(pair, [b'.' | b';' | b'?' | b'!' | b'|', b' ']);
    let start = before.windows(2).rposition(is_end).map_or(0, |end| end + 2);
    before.get(start..).unwrap_or_default()
}

fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&expand(pattern)).unicode(false).size_limit(1 << 25).dfa_size_limit(1 << 23).build()
}
