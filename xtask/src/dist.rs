//! `cargo xtask dist`: builds the static program as a tarball and as a Debian package, and tests both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{ebpf, generate, tool, workspace};

mod clean_root;
mod deb;
mod products;
mod program;
mod tarball;

use products::Products;

/// Options of `cargo xtask dist`.
#[derive(Args, Debug, Default)]
pub(crate) struct Options {
    /// Build only the program, without packages.
    #[arg(long)]
    program: bool,
    /// Do not test the products in a clean root.
    #[arg(long)]
    unchecked: bool,
    /// Build everything a second time, from a copy in another folder, and compare.
    #[arg(long)]
    twice: bool,
}

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.program {
        println!("dist: {}", program()?.display());
        return Ok(());
    }
    generate::run(&generate::Options { check: true })?;
    let folder = workspace::target().join("dist");
    let products = make(workspace::root(), &build_folder(), &folder)?;
    if options.twice {
        compare(&products)?;
    }
    if !options.unchecked {
        clean_root::check(&folder, &products)?;
    }
    for path in [&products.tarball, &products.deb] {
        let size = fs::metadata(path).with_context(|| format!("failed to read {}", path.display()))?.len();
        println!("dist: {} {size} bytes", path.display());
    }
    Ok(())
}

/// Builds the release program, and returns its path.
pub(crate) fn program() -> Result<PathBuf> {
    program::build(workspace::root(), &build_folder())
}

fn build_folder() -> PathBuf {
    workspace::target().join("dist-build")
}

/// Builds the sources in `root` in the target directory `target`, and puts the products into `folder`.
fn make(root: &Path, target: &Path, folder: &Path) -> Result<Products> {
    let epoch = source_date()?;
    empty(folder)?;
    let program = program::build(root, target)?;
    let tarball = tarball::pack(root, &program, folder, &epoch)?;
    let deb = deb::pack(root, target, folder, &epoch)?;
    let sums = folder.join("SHA256SUMS");
    let mut cmd = Command::new("sha256sum");
    cmd.current_dir(folder).arg("--").args([&tarball, &deb].map(|path| path.file_name().unwrap_or_default()));
    fs::write(&sums, tool::output(&mut cmd)?)
        .with_context(|| format!("failed to write {}", sums.display()))?;
    Ok(Products { tarball, deb, sums })
}

/// Rebuilds everything in another folder: the checksums must be equal.
fn compare(products: &Products) -> Result<()> {
    let scratch = workspace::target().join("dist-twice");
    empty(&scratch)?;
    let copy = ebpf::copy_sources(&scratch.join("copy"))?;
    let again = make(&copy, &scratch.join("build"), &scratch.join("dist"))?;
    let (first, second) = (fs::read_to_string(&products.sums)?, fs::read_to_string(&again.sums)?);
    ensure!(first == second, "a second build gave other bytes:\n{first}{second}");
    println!("dist: a second build, in another folder, gave the same bytes");
    fs::remove_dir_all(&scratch).with_context(|| format!("failed to remove {}", scratch.display()))
}

/// The timestamp of every file in seconds: the last commit, unless SOURCE_DATE_EPOCH is set.
fn source_date() -> Result<String> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch);
    }
    let mut cmd = Command::new("git");
    let epoch = tool::output(cmd.arg("-C").arg(workspace::root()).args(["log", "-1", "--format=%ct"]))?;
    Ok(epoch.trim().to_owned())
}

/// Recreates `folder`.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))
}
