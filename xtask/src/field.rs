//! `cargo xtask field`: plays the field corpus with real programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{apt, debug, tool, workspace};

/// Options of `cargo xtask field`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Play only rows whose names contain this text.
    #[arg(long, value_name = "TEXT")]
    row: Option<String>,
    /// Fail if the programs of a row are missing.
    #[arg(long)]
    all: bool,
    /// Play only the rows of continuous integration.
    #[arg(long)]
    ci: bool,
    /// Print what portbind shows of each row.
    #[arg(long)]
    show: bool,
    /// Install the Debian packages and the modules of PyPI and npm that rows need.
    #[arg(long)]
    install: bool,
    /// Write docs/field.md, and play nothing.
    #[arg(long)]
    table: bool,
    /// Use this portbind instead of the debug build.
    #[arg(long, value_name = "PATH")]
    portbind: Option<PathBuf>,
}

/// Plays the rows; fails unless all pass.
pub(crate) fn run(options: &Options) -> Result<()> {
    debug::build(&["portbind-tests", "portbind"])?;
    if options.table {
        let page = tool::output(tests(options).arg("--table"))?;
        let path = workspace::root().join("docs/field.md");
        return fs::write(&path, page).with_context(|| format!("failed to write {}", path.display()));
    }
    if options.install {
        install(&tool::output(tests(options).arg("--missing"))?)?;
    }
    let portbind = options.portbind.clone().unwrap_or_else(|| debug::program("portbind"));
    let mut cmd = tests(options);
    cmd.arg("--portbind").arg(portbind);
    for (is_given, name) in [(options.all, "--all"), (options.show, "--show")] {
        if is_given {
            cmd.arg(name);
        }
    }
    tool::run(&mut cmd)
}

/// `portbind-tests field`, with the rows that were chosen.
fn tests(options: &Options) -> Command {
    let mut cmd = Command::new(debug::program("portbind-tests"));
    cmd.current_dir(workspace::root()).stdin(Stdio::null()).arg("field").arg("--installed").arg(folder());
    if let Some(row) = &options.row {
        cmd.args(["--row", row]);
    }
    if options.ci {
        cmd.arg("--ci");
    }
    cmd
}

/// The folder of the modules of PyPI and npm.
fn folder() -> PathBuf {
    workspace::target().join("field")
}

/// Installs packages; each line has a registry and a name.
fn install(list: &str) -> Result<()> {
    let named = |registry: &str| -> Vec<&str> {
        list.lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|line| line.0 == registry)
            .map(|line| line.1)
            .collect()
    };
    let (mut debian, pip, npm) = (named("debian"), named("pip"), named("npm"));
    if !pip.is_empty() {
        debian.push("python3-venv");
    }
    if !npm.is_empty() {
        debian.push("npm");
    }
    apt::install(&debian)?;
    let folder = folder();
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    for package in named("unpacked") {
        unpack(&folder.join("unpacked"), package)?;
    }
    if !pip.is_empty() {
        install_pip(&folder, &pip)?;
    }
    if npm.is_empty() {
        return Ok(());
    }
    tool::run(
        Command::new("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(&npm),
    )
}

/// Unpacks a package of Debian into a folder of its name.
fn unpack(folder: &Path, package: &str) -> Result<()> {
    let files = folder.join(format!("{package}.part"));
    fs::create_dir_all(&files).with_context(|| format!("failed to create {}", files.display()))?;
    tool::run(Command::new("apt-get").args(["-q", "download", package]).current_dir(&files))?;
    let mut entries = fs::read_dir(&files)?.flatten().map(|entry| entry.path());
    let Some(archive) = entries.find(|path| path.extension().is_some_and(|end| end == "deb")) else {
        bail!("apt-get downloaded no archive of {package}");
    };
    tool::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&files))?;
    Ok(fs::rename(&files, folder.join(package))?)
}

/// Installs modules of PyPI into an environment for Debian's Python.
fn install_pip(folder: &Path, modules: &[&str]) -> Result<()> {
    let venv = folder.join("venv");
    let Some(path) = venv.to_str() else { bail!("{} is not UTF-8", venv.display()) };
    if !venv.join("bin/pip").exists() {
        tool::run(Command::new("/usr/bin/python3").args(["-m", "venv", path]))?;
    }
    tool::run(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(modules))
}
