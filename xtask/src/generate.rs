//! `cargo xtask generate`: writes completions, man pages, docs/cli.md and docs/schema.json from the program itself.
//!
//! An example of the library generates them, so that this program need not depend on the library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{debug, tool, workspace};

/// Folders of docs that contain only generated files.
const FOLDERS: [&str; 2] = ["completions", "man"];

/// Options of `cargo xtask generate`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Write nothing, and fail if a file differs or is left over.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Files by their path below docs.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<()> {
    let docs = workspace::root().join("docs");
    let wanted = generate()?;
    let mut present = Files::new();
    for folder in FOLDERS {
        collect(&docs, &docs.join(folder), &mut present)?;
    }
    for path in wanted.keys() {
        if let Ok(content) = fs::read(docs.join(path)) {
            present.insert(path.clone(), content);
        }
    }
    let stale = stale(&wanted, &present);
    if !options.check {
        stale.iter().try_for_each(|path| update(&docs.join(path), wanted.get(*path)))?;
    }
    let names: Vec<String> = stale.iter().map(|path| format!("docs/{}", path.display())).collect();
    ensure!(
        !options.check || names.is_empty(),
        "not what the program gives; run `cargo xtask generate`:\n{}",
        names.join("\n")
    );
    names.iter().for_each(|name| println!("{name}"));
    println!("{} generated files, {} written or removed", wanted.len(), names.len());
    Ok(())
}

/// Generates the files into a folder of the target directory, and reads them.
fn generate() -> Result<Files> {
    let folder = workspace::target().join("generated");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    tool::run(&mut debug::command(&["--example", debug::GENERATE]))?;
    tool::run(Command::new(debug::example(debug::GENERATE)).arg(&folder))?;
    let mut files = Files::new();
    collect(&folder, &folder, &mut files)?;
    Ok(files)
}

/// Paths whose contents differ, or that exist on one side only.
fn stale<'a>(wanted: &'a Files, present: &'a Files) -> Vec<&'a PathBuf> {
    let changed = wanted.iter().filter(|(path, content)| present.get(*path) != Some(content));
    let left_over = present.iter().filter(|(path, _)| !wanted.contains_key(*path));
    changed.chain(left_over).map(|(path, _)| path).collect()
}

fn update(path: &Path, content: Option<&Vec<u8>>) -> Result<()> {
    let Some(content) = content else {
        return fs::remove_file(path).with_context(|| format!("failed to remove {}", path.display()));
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
    }
    fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
}

/// Reads every file below `folder`, by its path below `root`.
fn collect(root: &Path, folder: &Path, files: &mut Files) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.with_context(|| format!("failed to list {}", folder.display()))?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let content = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
            files.insert(path.strip_prefix(root)?.to_path_buf(), content);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_missing_and_left_over_files_are_stale() {
        let files = |list: &[(&str, &str)]| -> Files {
            list.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
        };
        let wanted = files(&[("cli.md", "new"), ("man/a.1", "same"), ("man/b.1", "")]);
        let present = files(&[("cli.md", "old"), ("man/a.1", "same"), ("man/c.1", "")]);
        let stale: Vec<_> =
            stale(&wanted, &present).into_iter().map(|path| path.display().to_string()).collect();
        assert_eq!(stale, ["cli.md", "man/b.1", "man/c.1"]);
    }
}
