//! No line of Rust or TOML is longer than 120 characters.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the files has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What a line can have at most.
const LONGEST: usize = 120;

/// Where longer lines may be: patterns and samples of logs, and output that tests compare.
const EXCEPTED: [&str; 7] = [
    "portbind/src/log_errors",
    "portbind/src/output/answer_tests.rs",
    "portbind/src/output/explanation_tests.rs",
    "portbind/src/output/portless_tests.rs",
    "portbind/src/output/recorded_tests.rs",
    "portbind/src/output/tests.rs",
    "portbind/src/report/ci/tests.rs",
];

/// The folder of the workspace.
fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// Adds the Rust and TOML files in a folder, but for what is built and what Git keeps.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs" || extension == "toml");
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            collect(&path, files);
        } else if path.is_file() && is_source {
            files.push(path);
        }
    }
}

/// Where the long lines of a file are.
fn long_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lengths = text.lines().map(|line| line.chars().count()).enumerate();
    let long = lengths.filter(|(_, length)| *length > LONGEST);
    long.map(|(index, length)| format!("{}:{}: {length} characters", path.display(), index + 1)).collect()
}

#[test]
fn no_line_is_long() {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &mut files);
    let held = |path: &&PathBuf| !EXCEPTED.iter().any(|excepted| path.starts_with(root.join(excepted)));
    let held: Vec<&PathBuf> = files.iter().filter(held).collect();
    assert!(held.iter().any(|path| path.starts_with(root.join("tests/scenarios"))), "no scenario was found");
    let long: Vec<String> = held.iter().flat_map(|path| long_lines(path)).collect();
    assert!(long.is_empty(), "long lines:\n{}", long.join("\n"));
}

#[test]
fn no_exception_is_superfluous() {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    for excepted in EXCEPTED {
        let mut within = files.iter().filter(|path| path.starts_with(root().join(excepted)));
        assert!(within.any(|path| !long_lines(path).is_empty()), "{excepted} has no long line any more");
    }
}
