//! Every wording matches its own sample, and no bytes do harm.

use std::time::{Duration, Instant};

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::finder::Finder;
use super::lines::Lines;
use super::matcher::Matcher;
use super::time::Clock;
use super::wording::{TRANSLATIONS, WINDOWS};
use super::{Complaint, Target, wordings};

fn find(log: &[u8]) -> Vec<Complaint> {
    let mut finder = Finder::new(Clock { zone: TimeZone::UTC, today: date(2026, 11, 23) });
    let mut lines = Lines::new(log);
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        found.extend(finder.line(line));
        while let Some(complaint) = finder.complete() {
            found.push(complaint);
        }
    }
    found.extend(finder.finish());
    found
}

/// The errors found in a log, one line each.
fn explained(log: &str) -> Vec<String> {
    let shown = |complaint: &Complaint| {
        format!("{} {}: {}", complaint.line, complaint.wording.source, words(complaint))
    };
    find(log.as_bytes()).iter().map(shown).collect()
}

fn words(complaint: &Complaint) -> String {
    complaint.target.to_string()
}

#[test]
fn every_row_compiles() {
    if let Err(error) = Matcher::compile() {
        panic!("{error}");
    }
}

#[test]
fn every_sample_is_of_its_own_row() {
    for wording in wordings() {
        let found = find(wording.sample.as_bytes());
        let [complaint] = found.as_slice() else { panic!("{} found in: {}", found.len(), wording.sample) };
        assert!(
            std::ptr::eq(complaint.wording, wording),
            "{} ({}) takes: {}",
            complaint.wording.source,
            complaint.wording.pattern,
            wording.sample
        );
        assert_eq!(words(complaint), wording.states, "{}", wording.sample);
    }
}

/// A sample is found behind the prefixes of collectors, and between terminal control sequences.
#[test]
fn every_sample_is_seen_behind_a_prefix() {
    for wording in wordings() {
        let sample = wording.sample;
        for line in [
            format!("2026-11-23T12:04:31.1234567Z {sample}\r\n"),
            format!("web-1  | {sample}"),
            format!("\x1b[36mapi_1  |\x1b[0m {sample}\x1b[K"),
            format!("   E   {sample}"),
            format!("{sample}\u{fffd}"),
        ] {
            let mut bytes = line.into_bytes();
            bytes.splice(0..0, *b"\xff\xfe\n\0\n");
            let found = find(&bytes);
            assert_eq!(found.len(), 1, "{sample}");
            assert!(std::ptr::eq(found[0].wording, wording), "{} takes: {sample}", found[0].wording.source);
            assert_eq!(words(&found[0]), wording.states, "{sample}");
        }
    }
}

#[test]
fn every_language() {
    for text in TRANSLATIONS.iter().chain(WINDOWS) {
        for (line, expected) in [
            (format!("java.net.BindException: {text} (Bind failed)"), ("Java", "")),
            (format!("listen tcp :8080: bind: {text}"), ("Go", "tcp :8080")),
            (format!("OSError: [Errno 98] {text}"), ("Python", "")),
            (format!("x: {text}: port 4711"), ("any", ":4711")),
        ] {
            let found = find(line.as_bytes());
            assert_eq!(found.len(), 1, "{line}");
            assert!(found[0].wording.source.starts_with(expected.0), "{line}: {}", found[0].wording.source);
            assert_eq!(words(&found[0]), expected.1, "{line}");
        }
    }
}

#[test]
fn enough_sources() {
    let mut sources: Vec<&str> = wordings().map(|wording| wording.source).collect();
    sources.sort_unstable();
    sources.dedup();
    assert!(sources.len() >= 50, "{}", sources.len());
}

#[test]
fn other_uses_of_the_words() {
    for line in [
        "This email address is already in use",
        "e-mail address already in use by another account",
        "validation failed: MAC address already in use",
        "the wallet address already in use",
        "12:04:31.512  pytest (48213)  bind tcp 0.0.0.0:8080  →  EADDRINUSE",
        "{\"schema\":\"portbind.event/1\",\"kind\":\"refusal\",\"error\":{\"name\":\"EADDRINUSE\"}}",
        "swap in use: 10%",
        "table is in use",
        "mount: /mnt is busy, already in use",
        "12 connections in use",
        "code: 'ECONNREFUSED'",
        "could not bind parameter 3",
    ] {
        assert!(find(line.as_bytes()).is_empty(), "{line}");
    }
}

#[test]
fn neighbours_show_the_port() {
    let node = "Error: listen EADDRINUSE\n    at Server.listen (net.js:1)\n  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen',\n  address: '::',\n  port: 3000\n}\n";
    let rows: &[(&str, &[&str])] = &[
        (node, &["1 Node.js, the error as an object: [::]:3000"]),
        (
            "[1] LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n[1] HINT:  Is another postmaster already running on port 5432? If not, wait a few seconds and retry.\n",
            &["1 PostgreSQL: tcp 127.0.0.1:5432"],
        ),
        (
            "[ERROR] Can't start server: Bind on TCP/IP port: Address already in use\n[ERROR] Do you already have another mysqld server running on port: 3306 ?\n",
            &["1 MySQL and MariaDB: tcp :3306"],
        ),
        (
            "Address already in use\nPort 5000 is in use by another program. Either identify\n",
            &["2 Flask: tcp :5000"],
        ),
        (
            "1795435471: Opening ipv4 listen socket on port 1883.\n1795435471: Error: Address already in use\n",
            &["2 Mosquitto: tcp :1883"],
        ),
        (
            "Starting development server at http://127.0.0.1:8000/\nQuit\nError: That port is already in use.\n",
            &["3 Django: tcp 127.0.0.1:8000"],
        ),
        (
            "org.jboss.netty.channel.ChannelException: Failed to bind to: /127.0.0.1:9300\n\tat a\nCaused by: java.net.BindException: Address already in use\n",
            &["1 Java, a cause: 127.0.0.1:9300"],
        ),
        (
            "WARN mongod port=27017\nE STORAGE Failed to set up listener: SocketException: Address already in use\n",
            &["2 MongoDB before 4.4: tcp :27017"],
        ),
    ];
    for (log, expected) in rows {
        assert_eq!(explained(log), *expected, "{log}");
    }
}

#[test]
fn a_refusal_is_shown_once() {
    let frames = "\tat java.base/sun.nio.ch.Net.bind(Net.java:1)\n".repeat(60);
    let kafka = format!(
        "kafka.common.KafkaException: Socket server failed to bind to 0.0.0.0:9092: Address already in use.\n{frames}Caused by: java.net.BindException: Address already in use\n{frames}"
    );
    assert_eq!(explained(&kafka), ["1 Kafka: tcp 0.0.0.0:9092"]);
    let nginx =
        "2026/11/23 12:04:31 [emerg] 912#912: bind() to 0.0.0.0:80 failed (98: Address already in use)\n";
    assert_eq!(explained(&nginx.repeat(5)), ["1 nginx: 0.0.0.0:80"]);
    let other = nginx.replace("912#912", "913#913");
    assert_eq!(explained(&format!("{nginx}{other}")), ["1 nginx: 0.0.0.0:80", "2 nginx: 0.0.0.0:80"]);
    let go = "a_test.go:7: listen tcp :8080: bind: address already in use\n";
    assert_eq!(explained(&go.repeat(2)).len(), 2);
    let gunicorn = "[2026-11-23 12:04:31 +0000] [18] [ERROR] Connection in use: ('127.0.0.1', 8000)\n[2026-11-23 12:04:31 +0000] [18] [ERROR] connection to ('127.0.0.1', 8000) failed: [Errno 98] Address already in use\n";
    assert_eq!(explained(&gunicorn.repeat(3)), ["1 gunicorn: tcp 127.0.0.1:8000"]);
    let pytest = "E       OSError: [Errno 98] Address already in use\n";
    let recap = "FAILED t.py::test_a - OSError: [Errno 98] Address already in use\n";
    assert_eq!(explained(&format!("{pytest}{}{recap}", "-\n".repeat(60))), ["1 Python: "]);
    assert_eq!(explained(recap), ["1 pytest, its summary: "]);
}

#[test]
fn who_and_when() {
    let log =
        "Nov 23 12:04:31 build1 sshd[812]: error: Bind to port 22 on :: failed: Address already in use.\n";
    let [complaint] = &find(log.as_bytes())[..] else { panic!("not one") };
    assert_eq!(complaint.program.as_deref(), Some("sshd"));
    assert_eq!(complaint.pid, Some(812));
    assert_eq!(complaint.time.map(|time| time.to_string()).as_deref(), Some("2026-11-23T12:04:31Z"));
    assert_eq!(complaint.target.address.as_deref(), Some("::"));
}

#[test]
fn long_lines_take_no_long_time() {
    for bytes in [
        vec![b'a'; 10 << 20],
        b"address already in use ".repeat(1 << 19),
        b"[".repeat(10 << 20),
        b"listen EADDRINUSE: address already in use ".repeat(1 << 18),
        b"address already in use\n".repeat(20_000),
        b"\x1b[".repeat(1 << 20),
    ] {
        let start = Instant::now();
        let _found = find(&bytes);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

#[test]
fn targets_as_words() {
    let target = |address: Option<&str>, port, path: Option<&str>| Target {
        protocol: None,
        address: address.map(str::to_owned),
        port,
        path: path.map(str::to_owned),
    };
    for (target, expected) in [
        (target(None, None, None), ""),
        (target(Some("::1"), Some(80), None), "[::1]:80"),
        (target(Some("*"), Some(80), None), "*:80"),
        (target(None, Some(80), None), ":80"),
        (target(Some("::1"), None, None), "[::1]"),
        (target(None, None, Some("/run/x")), "/run/x"),
    ] {
        assert_eq!(target.to_string(), expected);
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        prop_assert!(find(&bytes).len() <= lines);
    }

    #[test]
    fn any_mix_of_samples(picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..4), 0..12)) {
        let all: Vec<_> = wordings().collect();
        let mut log = String::new();
        for (index, gap) in &picks {
            log.push_str(all[index.index(all.len())].sample);
            log.push_str(&"\nx".repeat(gap * 6));
            log.push('\n');
        }
        let found = find(log.as_bytes());
        prop_assert!(found.len() <= picks.len());
        prop_assert!(picks.is_empty() || !found.is_empty());
        let shown: u64 = found.iter().map(|complaint| 1 + complaint.repeats).sum();
        prop_assert!(shown <= u64::try_from(picks.len()).unwrap());
    }

    #[test]
    fn a_sample_with_a_byte_changed(index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let all: Vec<_> = wordings().collect();
        let mut bytes = all[index.index(all.len())].sample.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert!(find(&bytes).len() <= 2);
    }
}

/// docs/wordings.md matches the table.
#[test]
fn the_page_lists_every_wording() {
    let mut rows = String::from("| Source | Sample line | What the line contains |\n|---|---|---|\n");
    for wording in wordings() {
        let line = wording.sample.replace('|', "\\|");
        let shown = if wording.states.is_empty() { String::new() } else { format!("`{}`", wording.states) };
        rows.push_str(&format!("| {} | `` {} `` | {shown} |\n", wording.source, line.trim()));
    }
    let page = include_str!("../../tests/wordings.md");
    let (_, listed) = page.split_once("<!-- wordings -->\n").unwrap();
    assert!(listed.starts_with(&rows), "write this to docs/wordings.md:\n{rows}");
}
