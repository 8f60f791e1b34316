//! `cargo xtask setup`: what the other tasks need, installed from nothing. Quick when already done.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{apt, tool, workspace};

const LLVM: &str = "22";
const BPF_LINKER: &str = "0.13.0";
/// Debian packages for the build of the kernel half and for the virtual machines.
const PACKAGES: [&str; 8] = [
    "llvm-22",
    "llvm-22-dev",
    "libpolly-22-dev",
    "zlib1g-dev",
    "libzstd-dev",
    "qemu-system-x86",
    "xz-utils",
    "zstd",
];

/// Options of `cargo xtask setup`.
#[derive(Args, Debug)]
pub(crate) struct Options {}

/// The tools that build the kernel half, and the folders whose names must not show in the object.
#[derive(Debug)]
pub(crate) struct BuildTools {
    /// `bpf-linker` of the wanted version.
    pub(crate) linker: PathBuf,
    /// `llvm-objcopy` of the wanted version.
    pub(crate) objcopy: PathBuf,
    /// `llvm-nm` of the wanted version.
    pub(crate) nm: PathBuf,
    /// `llvm-readelf` of the wanted version.
    pub(crate) readelf: PathBuf,
    /// The compiler's folder.
    pub(crate) sysroot: PathBuf,
    /// The folder of the core sources, links resolved.
    pub(crate) core_sources: PathBuf,
    /// Cargo's home, where registry sources lie.
    pub(crate) cargo_home: PathBuf,
}

/// Installs whatever is missing.
pub(crate) fn run(_options: &Options) -> Result<()> {
    apt::install(&PACKAGES)?;
    if find_linker()?.is_none() {
        install_linker()?;
    }
    let sysroot = sysroot()?;
    if core_sources(&sysroot).is_none() {
        install_core_sources(&sysroot)?;
    }
    let tools = build_tools()?;
    println!("setup: bpf-linker {}, core sources {}", tools.linker.display(), tools.core_sources.display());
    Ok(())
}

/// Finds the tools that build the kernel half, or says what is missing.
pub(crate) fn build_tools() -> Result<BuildTools> {
    let hint = "run `cargo xtask setup`";
    let sysroot = sysroot()?;
    let Some(linker) = find_linker()? else { bail!("bpf-linker {BPF_LINKER} is missing: {hint}") };
    let Some(core_sources) = core_sources(&sysroot) else {
        bail!("the sources of `core` are missing: {hint}")
    };
    let bin = llvm_prefix().join("bin");
    let [objcopy, nm, readelf] = ["llvm-objcopy", "llvm-nm", "llvm-readelf"].map(|name| bin.join(name));
    for program in [&objcopy, &nm, &readelf] {
        ensure!(program.exists(), "{} is missing: {hint}", program.display());
    }
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    let cargo_home = home.canonicalize().with_context(|| format!("failed to find {}", home.display()))?;
    Ok(BuildTools { linker, objcopy, nm, readelf, sysroot, core_sources, cargo_home })
}

fn llvm_prefix() -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{LLVM}"))
}

/// A `bpf-linker` of the wanted version that runs on the wanted LLVM: our own, or one on the PATH.
fn find_linker() -> Result<Option<PathBuf>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [workspace::tools().join("bin")].into_iter().chain(env::split_paths(&path));
    let library = format!("libLLVM.so.{LLVM}");
    for candidate in folders.map(|folder| folder.join("bpf-linker")).filter(|candidate| candidate.is_file()) {
        let version = tool::output(Command::new(&candidate).arg("--version")).unwrap_or_default();
        let program =
            fs::read(&candidate).with_context(|| format!("failed to read {}", candidate.display()))?;
        let linked = program.windows(library.len()).any(|window| window == library.as_bytes());
        if version.trim() == format!("bpf-linker {BPF_LINKER}") && linked {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

fn install_linker() -> Result<()> {
    let mut cmd = tool::cargo();
    cmd.args([
        "install",
        "bpf-linker",
        "--locked",
        "--version",
        BPF_LINKER,
        "--no-default-features",
        "--features",
    ]);
    cmd.arg(format!("llvm-{LLVM}")).arg("--root").arg(workspace::tools());
    cmd.env("LLVM_PREFIX", llvm_prefix()).env("CARGO_TARGET_DIR", workspace::tools().join("build"));
    tool::run(&mut cmd)
}

/// The compiler's folder, links resolved.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let sysroot = tool::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Path::new(sysroot.trim()).canonicalize().with_context(|| format!("failed to find {sysroot}"))
}

/// The real folder of the sources of `core`, if the compiler has them.
fn core_sources(sysroot: &Path) -> Option<PathBuf> {
    let folder = sysroot.join("lib/rustlib/src/rust").canonicalize().ok()?;
    folder.join("library/core/Cargo.toml").exists().then_some(folder)
}

/// Gets the sources of `core` from rustup or, where that cannot be, from Debian's package of the same version.
fn install_core_sources(sysroot: &Path) -> Result<()> {
    let link = sysroot.join("lib/rustlib/src/rust");
    if fs::read_link(&link).is_ok_and(|target| !target.exists()) {
        fs::remove_file(&link).with_context(|| format!("failed to remove {}", link.display()))?;
    }
    let mut cmd = Command::new("rustup");
    cmd.args(["component", "add", "rust-src"]).stdin(Stdio::null());
    match cmd.status() {
        Ok(status) if status.success() && core_sources(sysroot).is_some() => return Ok(()),
        outcome => println!("setup: {cmd:?} gave {outcome:?}; taking Debian's rust-src"),
    }
    let version = rust_version()?;
    let unpacked = workspace::tools().join(format!("rust-src-{version}"));
    let sources = unpacked.join(format!("usr/src/rustc-{version}"));
    if !sources.join("library/core/Cargo.toml").exists() {
        let apt = apt::Private::open()?;
        let wanted =
            apt.versions("rust-src")?.into_iter().find(|found| found.starts_with(&format!("{version}+")));
        let wanted = wanted.with_context(|| format!("Debian has no rust-src {version}"))?;
        let package = apt.download("rust-src", &wanted)?;
        apt::unpack(&package, &unpacked)?;
    }
    let parent = sysroot.join("lib/rustlib/src");
    fs::create_dir_all(&parent).with_context(|| format!("failed to create {}", parent.display()))?;
    symlink(&sources, &link).with_context(|| format!("failed to link {}", link.display()))
}

/// Version of the compiler, `1.95.0`.
fn rust_version() -> Result<String> {
    let version = tool::output(Command::new("rustc").arg("-V"))?;
    Ok(version.split_whitespace().nth(1).context("`rustc -V` names no version")?.to_owned())
}
