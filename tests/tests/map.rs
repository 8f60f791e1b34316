//! The code map of ARCHITECTURE.md is the tree: each path in it exists, and each file of these folders has a row.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the files has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of which each entry has a row.
const MAPPED: [&str; 3] = ["portbind-ebpf/src", "portbind/src", "tests/src"];
/// Where paths of the map begin: here, and in the folder of the path before.
const LIBRARY: &str = "portbind/src";
/// Entries that need no row: they declare the others.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

/// The folder of the workspace.
fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expand(path: &str) -> Vec<String> {
    let Some((start, (choices, end))) =
        path.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?)))
    else {
        return vec![path.to_owned()];
    };
    choices.split(',').map(|choice| format!("{start}{choice}{end}")).collect()
}

/// The first cells of the rows of the code map.
fn cells(document: &str) -> Vec<&str> {
    let map = document.split_once("\n## Code map\n").unwrap().1;
    let map = map.split_once("\n## ").unwrap().0;
    map.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next()).collect()
}

/// The files and folders of a path that may have a `*`, and may lack the ending of a Rust file.
fn matches(folder: &Path, path: &str) -> Vec<PathBuf> {
    let path = path.trim_end_matches('/');
    let (within, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (start, end) = name.split_once('*').unwrap_or((name, ""));
    let fits = |entry: &str| {
        if name.contains('*') {
            entry.starts_with(start) && entry.ends_with(end)
        } else {
            entry == name || entry.strip_suffix(".rs") == Some(name)
        }
    };
    let entries = fs::read_dir(folder.join(within)).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|entry| fits(&entry.file_name().unwrap().to_string_lossy())).collect()
}

/// The paths that the map has, and names in it that are no path.
fn paths_of_map() -> (Vec<PathBuf>, Vec<String>) {
    let root = root();
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for cell in cells(&document) {
        let mut beside = root.join(LIBRARY);
        for name in cell.split('`').filter(|name| !name.trim_matches([',', ' ']).is_empty()).flat_map(expand)
        {
            let folders = [root.clone(), root.join(LIBRARY), beside.clone()];
            match folders.iter().map(|folder| matches(folder, &name)).find(|paths| !paths.is_empty()) {
                Some(found) => {
                    beside = found[0].parent().unwrap().to_owned();
                    paths.extend(found);
                }
                None => missing.push(name),
            }
        }
    }
    (paths, missing)
}

#[test]
fn each_path_of_the_map_exists() {
    assert_eq!(paths_of_map().1, Vec::<String>::new());
}

#[test]
fn each_entry_of_these_folders_has_a_row() {
    let (paths, _) = paths_of_map();
    let mut without = Vec::new();
    for folder in MAPPED.map(|folder| root().join(folder)) {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            // `kernel.rs` and the folder `kernel` are one module.
            let module = entry.with_extension("");
            let has_row = paths.iter().any(|path| path.with_extension("").starts_with(&module));
            if !has_row && !ROOTS.iter().any(|name| entry.ends_with(name)) {
                without.push(entry);
            }
        }
    }
    assert!(without.is_empty(), "no row of ARCHITECTURE.md names {without:#?}");
}
