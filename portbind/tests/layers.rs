//! No source files of a crate import each other in a circle, and each module of portbind imports only lower ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

#[path = "layers/arrows.rs"]
mod arrows;
#[path = "layers/sources.rs"]
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use arrows::{arrows, shortest_circle};

/// The top-level modules of portbind, lowest first, and the modules that each of them may import.
const LAYERS: [(&str, &[&str]); 19] = [
    ("order", &[]),
    ("escape", &[]),
    ("sys", &[]),
    ("secrets", &["order"]),
    ("event", &["escape"]),
    ("pages", &["event"]),
    ("diagnosis", &["order", "escape", "secrets", "event"]),
    ("host", &["order", "escape", "sys", "event", "diagnosis"]),
    ("kernel", &["order", "sys", "event", "diagnosis", "host"]),
    ("ports", &["order", "escape", "event", "diagnosis", "host", "kernel"]),
    ("wire", &["event", "secrets", "diagnosis", "ports"]),
    ("session", &["order", "sys", "event", "diagnosis", "host", "kernel"]),
    ("writer", &["escape", "sys", "host"]),
    ("recording", &["escape", "event", "wire", "diagnosis"]),
    ("log_errors", &["event", "wire"]),
    ("output", &["escape", "secrets", "event", "wire", "diagnosis", "ports", "session", "log_errors"]),
    ("report", &["order", "escape", "secrets", "event", "wire", "diagnosis", "recording", "output", "pages"]),
    (
        "wrapped",
        &[
            "order",
            "escape",
            "sys",
            "event",
            "wire",
            "diagnosis",
            "host",
            "session",
            "writer",
            "output",
            "report",
        ],
    ),
    (
        "cli",
        &[
            "escape",
            "sys",
            "secrets",
            "event",
            "wire",
            "diagnosis",
            "host",
            "kernel",
            "session",
            "writer",
            "wrapped",
            "pages",
            "ports",
            "recording",
            "log_errors",
            "report",
            "output",
        ],
    ),
];

/// The folders of source files, and the names of their libraries.
const CRATES: [(&str, &str); 5] = [
    ("portbind/src", "portbind"),
    ("portbind-abi/src", "portbind_abi"),
    ("portbind-ebpf/src", "portbind_ebpf"),
    ("tests/src", "portbind_tests"),
    ("xtask/src", "xtask"),
];

fn workspace() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

#[test]
fn no_file_is_in_a_circle() {
    for (folder, library) in CRATES {
        let arrows = arrows(&workspace(), folder, library);
        assert!(arrows.len() > 5, "{folder} has {} files that import something", arrows.len());
        let circle = shortest_circle(&arrows).unwrap_or_default();
        assert!(circle.is_empty(), "files of {folder} import each other:\n{}", circle.join("\n"));
    }
}

#[test]
fn modules_import_only_lower_layers() {
    let module = |file: &str| file.strip_prefix("portbind/src/")?.split(['/', '.']).next().map(str::to_owned);
    let mut wrong = Vec::new();
    for (from, imported) in arrows(&workspace(), "portbind/src", "portbind") {
        let own = module(&from).unwrap();
        let (_, allowed) =
            LAYERS.iter().find(|(name, _)| *name == own).expect("each module has a row in LAYERS");
        for (to, text) in imported {
            let other = module(&to).unwrap();
            if own != other && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{from} -> {to} ({text})"));
            }
        }
    }
    assert!(wrong.is_empty(), "LAYERS does not allow these imports:\n{}", wrong.join("\n"));
}

#[test]
fn layers_allow_only_lower_modules() {
    for (index, (name, allowed)) in LAYERS.iter().enumerate() {
        let is_lower = |module: &&str| LAYERS[..index].iter().any(|(lower, _)| lower == module);
        assert!(allowed.iter().all(is_lower), "{name} may import a module that is not lower");
    }
}

/// The circle in a made-up crate, whose root file declares the modules `a` and `b`.
fn circle_between(a: &str, b: &str) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let files = [("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b), ("a/inner.rs", "pub struct Inner;")];
    fs::create_dir(folder.path().join("a")).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    shortest_circle(&arrows(&fs::canonicalize(folder.path()).unwrap(), "", "made_up"))
}

#[test]
fn a_circle_is_seen() {
    let back = "use super::a::A;";
    let lines = ["a.rs -> b.rs (use crate::b::B)", "b.rs -> a.rs (use super::a::A)"];
    assert_eq!(circle_between("use crate::b::B;", back).unwrap(), lines);
    for a in [
        "use std::{fmt, fs}; use crate::{fs, b::{self, inner::{C, D as E}}};",
        "use super::b::*;",
        "fn f() { let b = crate::b::B::new(|| 1); }",
        "fn f(b: &[super::b::B]) {}",
        "mod child { use super::super::b::B; }",
        "use made_up::b;",
        "fn f() { assert!(true, \"{}\", crate::b::TEXT); }",
        "#[arg(default_value_t = crate::b::NUMBER)] struct Options;",
        "fn f() { html! { p { (crate::b::text()) } } }",
        "macro_rules! b { () => { $crate::b::f() } }",
        "use crate as root; fn f() { root::b::f() }",
    ] {
        assert_eq!(circle_between(a, back).expect(a).len(), 2, "{a}");
    }
}

#[test]
fn other_words_than_imports_are_left_out() {
    for a in [
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] mod tests;",
        "/// [`crate::b::B`]\npub(in crate::b) struct A;",
        "use ::b::B; use b::B;",
        "mod inner; pub use inner::Inner; use self::inner::Inner as Other;",
        "fn f() { println!(\"{}\", ::b::f::<u8>()) }",
        "fn f(b: u8) -> u8 { b }",
    ] {
        assert_eq!(circle_between(a, "use crate::a::A;"), None, "{a}");
    }
}
