//! Lines are read back as they were written, and no damage is fatal.

use proptest::prelude::*;

use super::line::Line;
use super::reader::{MAX_LINE, Reader};
use super::skipped::Damage;
use crate::event::samples;
use crate::output::{Format, Printer, Style};
use crate::wire;

/// A recorded refusal, with its newline.
fn refusal() -> String {
    let mut printer = Printer::new(Format::Json, Style::default(), Vec::new());
    printer.event(&samples::listener()).unwrap();
    String::from_utf8(printer.into_inner()).unwrap()
}

/// How many lines are read, and the damage of the skipped lines with the number of the first line of each kind.
fn read(bytes: &[u8]) -> (usize, Vec<(Damage, u64, u64)>) {
    let mut reader = Reader::new(bytes);
    let lines = reader.by_ref().map(Result::unwrap).count();
    let notes = reader.skipped().notes().iter();
    (lines, notes.map(|note| (note.damage, note.count, note.first)).collect())
}

#[test]
fn all_that_was_written_is_read() {
    let text = refusal().repeat(2);
    let mut reader = Reader::new(text.as_bytes());
    let Some(Ok(Line::Refusal(read))) = reader.next() else { panic!("no refusal") };
    assert_eq!(*read, wire::Refusal::from(&samples::listener()));
    assert_eq!(reader.number(), 1);
    assert_eq!(reader.count(), 1);
}

#[test]
fn only_commands_that_portbind_makes_are_believed() {
    let fix = |text: &str, command: Option<&str>| {
        let fix = wire::Fix {
            code: "stop-holder".into(),
            text: text.to_owned().into(),
            command: command.map(|command| command.to_owned().into()),
        };
        let refusal = samples::listener();
        let refusal = wire::Refusal { fixes: vec![fix], ..wire::Refusal::from(&refusal) };
        let line = serde_json::to_string(&refusal).unwrap();
        let Some(Ok(Line::Refusal(read))) = Reader::new(line.as_bytes()).next() else { panic!("{line}") };
        !read.fixes.is_empty()
    };
    assert!(fix("stop java: kill 4711", Some("kill 4711")));
    assert!(fix("set SO_REUSEADDR", None));
    for (text, command) in [
        ("stop nginx: kill 1; touch x", "kill 1; touch x"),
        ("stop nginx: kill 1", "kill 1"),
        ("stop java: rm -rf / #", "kill 4711"),
        ("stop java: curl x|sh", "curl x|sh"),
    ] {
        assert!(!fix(text, Some(command)), "{text}");
    }
}

#[test]
fn damage_is_reported_and_skipped() {
    let good = refusal();
    let half = &good[..good.len() / 2];
    let newer = good.replace("portbind.event/1", "portbind.event/2");
    let other = good.replace("portbind.event/1", "portbind.doctor/1");
    let unknown = good.replace("\"kind\":\"refusal\"", "\"kind\":\"rumour\"");
    let lacking = "{\"schema\":\"portbind.event/1\",\"kind\":\"refusal\"}\n".to_owned();
    let mistyped = good.replace("\"pid\":48213", "\"pid\":\"48213\"");
    let braces = "{\"a\":".repeat(100_000) + "\n";
    let brackets =
        format!("{{\"schema\":\"portbind.event/1\",\"kind\":\"refusal\",\"x\":{}\n", "[".repeat(100_000));
    let closed = format!("{{\"a\":{}{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("{{\"schema\":\"{}\"}}\n", "x".repeat(MAX_LINE));
    for (name, bad, damage) in [
        ("newer", newer.as_bytes(), Some(Damage::OtherVersion)),
        ("other schema", other.as_bytes(), Some(Damage::Foreign)),
        ("unknown kind", unknown.as_bytes(), Some(Damage::UnknownKind)),
        ("lacking", lacking.as_bytes(), Some(Damage::Malformed)),
        ("mistyped", mistyped.as_bytes(), Some(Damage::Malformed)),
        ("braces", braces.as_bytes(), Some(Damage::Foreign)),
        ("brackets", brackets.as_bytes(), Some(Damage::Torn)),
        ("closed brackets", closed.as_bytes(), Some(Damage::Foreign)),
        ("long", long.as_bytes(), Some(Damage::TooLong)),
        ("text", b"npm ERR! code 1\n", Some(Damage::Foreign)),
        ("number", b"17\n", Some(Damage::Foreign)),
        ("binary", b"\x7fELF\xff\xfe\0\n", Some(Damage::NotText)),
        ("empty", b"\n  \r\n", None),
    ] {
        let bytes = [good.as_bytes(), bad, good.as_bytes()].concat();
        let expected: Vec<_> = damage.map(|damage| (damage, 1, 2)).into_iter().collect();
        assert_eq!(read(&bytes), (2, expected), "{name}");
    }
    // The last line, and a line to which the next run was appended.
    assert_eq!(read(format!("{good}{half}").as_bytes()), (1, vec![(Damage::Torn, 1, 2)]));
    assert_eq!(read(format!("{half}{good}{good}").as_bytes()), (2, vec![(Damage::Torn, 1, 1)]));
    assert_eq!(read(good.trim_end().as_bytes()), (1, vec![]));
    assert_eq!(read(good.replace('\n', "\r\n").as_bytes()), (1, vec![]));
}

#[test]
fn a_recording_may_be_cut_at_every_byte() {
    let good = refusal().replace("pytest", "größe");
    let text = format!("{good}{good}");
    for cut in 0..text.len() {
        let (lines, damage) = read(&text.as_bytes()[..cut]);
        let whole = usize::from(cut + 1 >= good.len());
        assert_eq!(lines, whole + usize::from(cut + 1 >= text.len()), "cut at {cut}");
        // A start too short to be recognized as portbind's is foreign.
        let is_reported = damage
            .iter()
            .all(|(damage, count, _)| matches!(damage, Damage::Torn | Damage::Foreign) && *count == 1);
        assert!(is_reported && damage.len() <= 1, "cut at {cut}: {damage:?}");
        // The line that is appended to the torn one is not lost.
        let appended = [&text.as_bytes()[..cut], good.as_bytes()].concat();
        assert_eq!(read(&appended).0, 1 + usize::from(cut >= good.len()), "cut at {cut}");
    }
}

#[test]
fn a_note_is_a_sentence() {
    let mut reader = Reader::new(&b"a\nb\n\xff\n"[..]);
    assert_eq!(reader.by_ref().count(), 0);
    let notes: Vec<String> = reader.skipped().notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["2 lines skipped, the first is line 1, not of portbind", "line 3 skipped, not UTF-8"]);
    assert_eq!(reader.skipped().count(Damage::Foreign), 2);
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
        prop_assert!(read(&bytes).0 <= newlines + 1);
    }

    #[test]
    fn a_byte_changed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = refusal();
        let mut bytes = good.repeat(3).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (lines, _) = read(&bytes);
        prop_assert!((1..=3).contains(&lines), "{lines} lines, byte {at}");
    }
}
