//! `cargo xtask setup`: installs everything that the other tasks need. Quick if everything is installed.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{apt, tool, workspace};

// A file of the tests, through a symbolic link.
mod programs;

const LLVM: &str = "22";
const BPF_LINKER: &str = "0.13.0";
const CARGO_DEB: &str = "3.8.0";
/// The target of static programs.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";
/// Debian packages for the build of the kernel half, the fuzzer, the virtual machines, the HTML reports, Python's
/// modules, clean roots, and the spelling check. The packages of the programs that tests start are in the table of
/// these programs.
const PACKAGES: [&str; 15] = [
    "llvm-22",
    "llvm-22-dev",
    "libpolly-22-dev",
    "libclang-rt-22-dev",
    "zlib1g-dev",
    "libzstd-dev",
    "qemu-system-x86",
    "xz-utils",
    "zstd",
    "python3",
    "fonts-inter",
    "fonts-jetbrains-mono",
    "mmdebstrap",
    "systemd-container",
    "codespell",
];

/// Options of `cargo xtask setup`.
#[derive(Args, Debug)]
pub(crate) struct Options {}

/// The tools that build the kernel half, and the folders whose paths must not appear in the object.
#[derive(Debug)]
pub(crate) struct BuildTools {
    /// `bpf-linker` of the required version.
    pub(crate) linker: PathBuf,
    /// `llvm-objcopy` of the required version.
    pub(crate) objcopy: PathBuf,
    /// `llvm-nm` of the required version.
    pub(crate) nm: PathBuf,
    /// `llvm-readelf` of the required version.
    pub(crate) readelf: PathBuf,
    /// The compiler's folder.
    pub(crate) sysroot: PathBuf,
    /// The folder of the core sources, with links resolved.
    pub(crate) core_sources: PathBuf,
    /// Cargo's home, which contains the registry sources.
    pub(crate) cargo_home: PathBuf,
}

/// Installs whatever is missing.
pub(crate) fn run(_options: &Options) -> Result<()> {
    install_packages()?;
    let sysroot = sysroot()?;
    if core_sources(&sysroot).is_none() {
        install_core_sources(&sysroot)?;
    }
    install_musl(&sysroot)?;
    thread::scope(|scope| {
        let deb = scope.spawn(|| if cargo_deb().is_none() { install_cargo_deb() } else { Ok(()) });
        if find_linker()?.is_none() {
            install_linker()?;
        }
        deb.join().unwrap_or_else(|_| bail!("the installation of cargo-deb panicked"))
    })?;
    let tools = build_tools()?;
    println!("setup: bpf-linker {}, core sources {}", tools.linker.display(), tools.core_sources.display());
    Ok(())
}

/// Installs all packages, and checks that the programs that tests start are from their packages.
fn install_packages() -> Result<()> {
    let mut packages = PACKAGES.to_vec();
    packages.extend(programs::INSTALLED.iter().map(|program| program.package));
    packages.sort_unstable();
    packages.dedup();
    apt::install(&packages)?;
    let owners = apt::owners(programs::INSTALLED.iter().map(|program| program.path))?;
    for programs::Program { name, package, path } in &programs::INSTALLED {
        let is_theirs = owners.get(*path).is_some_and(|owners| owners.contains(*package));
        ensure!(
            is_theirs && Path::new(path).is_file(),
            "{path}, which the tests start as {name}, is not that of Debian's package {package}: \
             reinstall the package, and remove what stands in its place"
        );
    }
    Ok(())
}

/// Finds the tools that build the kernel half, or reports which are missing.
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
    Ok(BuildTools { linker, objcopy, nm, readelf, sysroot, core_sources, cargo_home: cargo_home()? })
}

/// Cargo's home, with links resolved.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    home.canonicalize().with_context(|| format!("failed to find {}", home.display()))
}

fn llvm_prefix() -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{LLVM}"))
}

/// LLVM's own build of libFuzzer: available at once, whereas building it from source takes a C++ compiler and a minute.
pub(crate) fn fuzzer_library() -> PathBuf {
    let name = format!("libclang_rt.fuzzer-{}.a", env::consts::ARCH);
    llvm_prefix().join("lib/clang").join(LLVM).join("lib/linux").join(name)
}

/// A `bpf-linker` of the required version that uses the required LLVM: from the tools folder, or from PATH.
fn find_linker() -> Result<Option<PathBuf>> {
    let library = format!("libLLVM.so.{LLVM}");
    for candidate in candidates("bpf-linker") {
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

/// The possible paths of a program; the tools folder comes first.
fn candidates(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [workspace::tools().join("bin")].into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(name)).filter(|candidate| candidate.is_file()).collect()
}

/// A `cargo-deb` of the required version.
pub(crate) fn cargo_deb() -> Option<PathBuf> {
    let version = |path: &PathBuf| tool::output(Command::new(path).arg("--version")).unwrap_or_default();
    candidates("cargo-deb").into_iter().find(|path| version(path).trim() == format!("cargo-deb {CARGO_DEB}"))
}

fn install_cargo_deb() -> Result<()> {
    let mut cmd = tool::cargo();
    // Without its default features, cargo-deb calls xz, which is installed.
    cmd.args(["install", "cargo-deb", "--locked", "--version", CARGO_DEB, "--no-default-features"]);
    cmd.arg("--root").arg(workspace::tools()).env("CARGO_TARGET_DIR", workspace::tools().join("build/deb"));
    tool::run(&mut cmd)
}

/// Installs the library of the static target from rustup; without it, static programs use glibc.
fn install_musl(sysroot: &Path) -> Result<()> {
    if sysroot.join("lib/rustlib").join(MUSL).exists() {
        return Ok(());
    }
    let mut cmd = Command::new("rustup");
    cmd.args(["target", "add", MUSL]).stdin(Stdio::null());
    let outcome = cmd.status().with_context(|| format!("failed to run {cmd:?}"));
    if !matches!(&outcome, Ok(status) if status.success()) {
        println!("setup: {cmd:?} gave {outcome:?}; static programs are linked with glibc");
    }
    Ok(())
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
    cmd.env("LLVM_PREFIX", llvm_prefix()).env("CARGO_TARGET_DIR", workspace::tools().join("build/linker"));
    tool::run(&mut cmd)
}

/// The compiler's folder, with links resolved.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let sysroot = tool::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Path::new(sysroot.trim()).canonicalize().with_context(|| format!("failed to find {sysroot}"))
}

/// The real folder of the sources of `core`, if the compiler has them.
fn core_sources(sysroot: &Path) -> Option<PathBuf> {
    let folder = sysroot.join("lib/rustlib/src/rust").canonicalize().ok()?;
    folder.join("library/core/Cargo.toml").exists().then_some(folder)
}

/// Installs the sources of `core` from rustup, or else from Debian's package of the same version.
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
