// Digest of all sources of the kernel half. The build script of `portbind` and `cargo xtask ebpf` must agree on the
// digest, so both include this file as a module.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// The objects, and the features of the crate `portbind-ebpf` that each is built with.
pub(crate) const OBJECTS: [(&str, &str); 2] = [("portbind.o", "bpf"), ("portbind-bounded.o", "bpf,bounded")];

/// The crates from which the objects are built: the programs, and the records.
const CRATES: [&str; 2] = ["portbind-abi", "portbind-ebpf"];

/// The files of [`CRATES`] in `root`, in a fixed order.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let crates = CRATES.map(|name| root.join(name));
    let mut found = crates.each_ref().map(|folder| folder.join("Cargo.toml")).to_vec();
    let mut folders = crates.map(|folder| folder.join("src")).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))? {
            let entry = entry.with_context(|| format!("failed to list {}", folder.display()))?;
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Digest of the kernel half's sources and of the versions of the eBPF crates they build on.
pub(crate) fn sources(root: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for path in files(root)? {
        let content = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(&path);
        hash.update(format!("{}\n{}\n", name.display(), content.len()));
        hash.update(&content);
    }
    let lock = root.join("Cargo.lock");
    let text = fs::read_to_string(&lock).with_context(|| format!("failed to read {}", lock.display()))?;
    for dependency in dependencies(&text) {
        hash.update(dependency);
        hash.update("\n");
    }
    Ok(hex(&hash.finalize()))
}

/// `name version` of each eBPF crate in the text of a `Cargo.lock`.
fn dependencies(lock: &str) -> impl Iterator<Item = String> {
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    lock.split("[[package]]").filter_map(move |package| {
        let name = package.lines().find_map(|line| value(line, "name = "))?;
        let version = package.lines().find_map(|line| value(line, "version = "))?;
        let ours =
            ["aya-ebpf", "aya-log-common", "aya-log-ebpf"].iter().any(|prefix| name.starts_with(prefix));
        ours.then(|| format!("{name} {version}"))
    })
}

/// SHA-256 of `bytes` in hexadecimal.
pub(crate) fn of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The value of `key` in the text of a manifest: lines of the form `key = value`.
pub(crate) fn manifest_value<'a>(manifest: &'a str, key: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
