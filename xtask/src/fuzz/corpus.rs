//! Minimizes the corpora in the repository, with the inputs that runs have found.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::target::Target;
use crate::tool;

/// Maximum bytes of the found inputs per target; the test in fuzz/tests/corpora.rs limits the total of all corpora.
const MOST: u64 = 12 * 1024;
/// Maximum bytes of an input.
const LONGEST: u64 = 4096;
/// Length of the fuzzer's file names, which are the SHA-1 of the input.
const NAME: usize = 40;

/// From the inputs in the repository and the found ones, keeps a few small inputs that reach as many edges. Handwritten
/// inputs, which have other names, are kept.
pub(super) fn keep(program: &Path, target: &Target, scratch: &Path) -> Result<()> {
    let merged = scratch.join(&target.name);
    fs::create_dir(&merged).with_context(|| format!("failed to create {}", merged.display()))?;
    let mut cmd = target.command(program, scratch);
    cmd.arg("-set_cover_merge=1").arg(format!("-max_len={LONGEST}")).arg(&merged);
    tool::run(cmd.arg(target.corpus()).arg(target.findings()))?;
    let corpus = target.corpus();
    let mut written = HashSet::new();
    for path in files(&corpus)? {
        if is_corpus_file(&path) {
            fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
        } else {
            written.insert(read(&path)?);
        }
    }
    let mut inputs = Vec::new();
    for path in files(&merged)? {
        inputs.push((read(&path)?, path));
    }
    inputs.retain(|(bytes, _)| !written.contains(bytes));
    inputs.sort_by_key(|(bytes, path)| (bytes.len(), path.clone()));
    let (mut total, mut count) = (0, 0);
    for (bytes, path) in &inputs {
        total += u64::try_from(bytes.len())?;
        if total > MOST {
            break;
        }
        let name = path.file_name().context("an input has no name")?;
        fs::write(corpus.join(name), bytes)
            .with_context(|| format!("failed to write {}", corpus.display()))?;
        count += 1;
    }
    println!(
        "{}: {count} of {} inputs are kept beside {} that are written",
        target.name,
        inputs.len(),
        written.len()
    );
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}

fn is_corpus_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.len() == NAME && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
