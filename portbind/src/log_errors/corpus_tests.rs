//! Wordings of real programs (`tests/wordings/`), which no row of the table was written for.

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::{Clock, Complaint, Finder, Target};

/// Collected before the grammar was written.
const UNSEEN: &str = include_str!("../../tests/wordings/unseen.tsv");
/// Collected while and after it was written.
const SEEN: &str = include_str!("../../tests/wordings/seen.tsv");

/// Collected before the kinds of forms and of other languages were written; with sources.
const FORMS: &str = include_str!("../../tests/wordings/forms.tsv");
/// Lines that report no refused bind; with sources.
const QUIET: &str = include_str!("../../tests/wordings/quiet.tsv");

/// One row: the program, its lines, and what they name.
struct Row {
    program: &'static str,
    log: String,
    names: Vec<Target>,
}

fn rows(table: &'static str) -> Vec<Row> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let (&[program, log, names] | &[program, log, names, _]) = columns.as_slice() else {
            panic!("not three or four columns: {line}")
        };
        Row { program, log: unescaped(log), names: names.split(", ").map(target).collect() }
    })
    .collect()
}

fn unescaped(text: &str) -> String {
    let text = text.replace(r"\\", "\0").replace(r"\n", "\n").replace(r"\t", "\t");
    text.replace('\0', "\\")
}

/// `tcp 127.0.0.1:80`, `udp [::]:80`, `tcp 80`, `unix /run/x`, or only the first word.
fn target(words: &str) -> Target {
    let (protocol, rest) = words.split_once(' ').unwrap_or((words, ""));
    let mut target = Target::default();
    match rest.rsplit_once(':') {
        _ if protocol == "unix" => target.path = Some(rest.to_owned()).filter(|path| !path.is_empty()),
        Some((address, port)) => {
            target.address = Some(address.trim_matches(['[', ']']).to_owned());
            target.port = port.parse().ok();
        }
        None => target.port = rest.parse().ok(),
    }
    if protocol != "unix" {
        target.protocol = Some(protocol.to_owned());
    }
    target
}

fn find(log: &str) -> Vec<Complaint> {
    let mut finder = Finder::new(Clock { zone: TimeZone::UTC, today: date(2026, 11, 23) });
    let mut found: Vec<_> = log.lines().filter_map(|line| finder.line(line.as_bytes())).collect();
    found.extend(finder.finish());
    found
}

/// Whether what was found is what the row names: the same ports and paths, the address if the row names one, and no
/// other protocol.
fn is_right(row: &Row) -> bool {
    let found = find(&row.log);
    found.len() == row.names.len()
        && found.iter().zip(&row.names).all(|(found, named)| {
            let target = &found.target;
            let is_other =
                target.protocol.is_some() && named.protocol.is_some() && target.protocol != named.protocol;
            let address = target.address.as_deref();
            let has_address =
                named.address.is_none() || address == named.address.as_deref() || named.port.is_none();
            target.port == named.port && target.path == named.path && has_address && !is_other
        })
}

fn described(row: &Row) -> String {
    let found = find(&row.log);
    let found: Vec<_> = found.iter().map(|one| format!("{} ({})", one.target, one.wording.source)).collect();
    let named: Vec<_> = row.names.iter().map(ToString::to_string).collect();
    format!("{}: {}\n    names {named:?}, found {found:?}", row.program, row.log)
}

/// The programs whose rows are missed, in the order of the tables: a row that is found stays found.
const KNOWN_MISSES: &[&str] = &["xrdp", "avahi", "weblogic", "expo", "nim", "nuxt", "vi", "ar", "occ1"];

#[test]
fn wordings_of_real_programs() {
    let (unseen, seen, forms) = (rows(UNSEEN), rows(SEEN), rows(FORMS));
    let all: Vec<&Row> = unseen.iter().chain(&seen).chain(&forms).collect();
    let wrong: Vec<&Row> = all.iter().copied().filter(|row| !is_right(row)).collect();
    println!("{} of {} rows are found", all.len() - wrong.len(), all.len());
    wrong.iter().for_each(|row| println!("missed: {}", described(row)));
    assert!(all.len() >= 550, "{} rows", all.len());
    assert!(wrong.len() * 20 <= all.len(), "{} of {} are missed", wrong.len(), all.len());
    let missed: Vec<&str> = wrong.iter().map(|row| row.program).collect();
    assert_eq!(missed, KNOWN_MISSES);
}

/// A row is found behind the prefixes of collectors, too.
#[test]
fn wordings_behind_prefixes() {
    for row in rows(UNSEEN).iter().chain(&rows(SEEN)).chain(&rows(FORMS)).filter(|row| is_right(row)) {
        for prefix in [
            "web-1  | ",
            "2026-11-23T12:04:31.1234567Z ",
            "Nov 29 10:00:00 build1 prog[123]: ",
            "\x1b[36mapi_1  |\x1b[0m ",
        ] {
            let log = row.log.lines().map(|line| format!("{prefix}{line}\n")).collect();
            let prefixed = Row { program: row.program, log, names: row.names.clone() };
            assert!(is_right(&prefixed), "{prefix:?}: {:?}", described(&prefixed));
        }
    }
}

#[test]
fn lines_that_are_no_refused_bind() {
    let lines = QUIET.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.filter_map(|line| line.split('\t').next()).collect();
    assert!(lines.len() >= 60, "{} lines", lines.len());
    let found = |line: &&str| !find(line).is_empty() || !find(&format!("web-1  | {line}")).is_empty();
    let found: Vec<&str> = lines.into_iter().filter(found).collect();
    assert!(found.is_empty(), "{found:#?}");
}
