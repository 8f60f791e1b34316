//! `cargo xtask ebpf`: builds the committed objects of the kernel half from source.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{digest, setup, tool, workspace};

mod btf_ext;
mod calls;

const TARGET: &str = "bpfel-unknown-none";
const PACKAGE: &str = "portbind-ebpf";
/// Sections that the object must have, and their purposes.
const SECTIONS: [(&str, &str); 4] = [
    ("license", "the kernel's helpers are for GPL-compatible programs only"),
    ("maps", "the programs talk through maps"),
    (".BTF", "types of the maps and programs"),
    (".BTF.ext", "types of the functions that loops call"),
];

/// Parts of the mangled names of the kernel half's functions, one per crate.
const OURS: [&str; 2] = ["13portbind_ebpf", "12portbind_abi"];
/// Parts of the mangled names of the functions that the helper `bpf_loop` calls.
const LOOP_BODIES: [&str; 2] = ["6kernel6repeat4once", "6kernel8count_up4once"];

/// Options of `cargo xtask ebpf`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Rebuild, and fail unless the committed objects are identical.
    #[arg(long)]
    pub(crate) check: bool,
    /// With --check: build from a copy of the workspace in another folder.
    #[arg(long, requires = "check")]
    pub(crate) elsewhere: bool,
}

/// Builds the objects, or checks the committed ones.
pub(crate) fn run(options: &Options) -> Result<()> {
    let tools = setup::build_tools()?;
    let folder = workspace::root().join("portbind/bpf");
    if options.check { check(&tools, &folder, options.elsewhere) } else { update(&tools, &folder) }
}

fn update(tools: &setup::BuildTools, folder: &Path) -> Result<()> {
    let root = workspace::root();
    // Computed first: if a source changes meanwhile, the objects are recognized as stale.
    let sources = digest::sources(root)?;
    let objects = build(tools, root, &workspace::target().join("ebpf"), false)?;
    let manifest = manifest(tools, &objects, &sources)?;
    for (name, object) in &objects {
        write(&folder.join(name), object)?;
        println!("portbind/bpf/{name}: {} bytes, sha256 {}", object.len(), digest::of(object));
    }
    write(&folder.join("MANIFEST"), manifest.as_bytes())
}

fn check(tools: &setup::BuildTools, folder: &Path, elsewhere: bool) -> Result<()> {
    let committed = fs::read_to_string(folder.join("MANIFEST"))
        .context("portbind/bpf/MANIFEST is missing: run `cargo xtask ebpf`")?;
    for (key, here) in toolchain(tools)? {
        let then = digest::manifest_value(&committed, key).unwrap_or("unknown");
        ensure!(
            here == then,
            "the objects were built with {key} {then}, here is {here}: other tools, other bytes"
        );
    }
    let sources = digest::sources(workspace::root())?;
    ensure!(
        digest::manifest_value(&committed, "sources") == Some(&sources),
        "the kernel half's sources no longer match the objects in portbind/bpf: run `cargo xtask ebpf`"
    );
    let scratch = workspace::target().join("ebpf-check");
    let root = if elsewhere { copy_sources(&scratch.join("copy"))? } else { workspace::root().to_path_buf() };
    let rebuilt = build(tools, &root, &scratch.join("target"), true)?;
    for (name, object) in &rebuilt {
        let there = fs::read(folder.join(name))
            .with_context(|| format!("portbind/bpf/{name} is missing: run `cargo xtask ebpf`"))?;
        if *object != there {
            let kept = scratch.join(name);
            write(&kept, object)?;
            bail!(
                "portbind/bpf/{name} differs from what its sources give, kept in {}: run `cargo xtask ebpf`",
                kept.display()
            );
        }
        println!("portbind/bpf/{name} is what its sources give: sha256 {}", digest::of(object));
    }
    let expected = manifest(tools, &rebuilt, &sources)?;
    ensure!(committed == expected, "portbind/bpf/MANIFEST is out of date: run `cargo xtask ebpf`");
    Ok(())
}

/// Compiles the kernel half in `root` once per object; returns names and bytes.
fn build(
    tools: &setup::BuildTools,
    root: &Path,
    target: &Path,
    fresh: bool,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    if fresh && target.exists() {
        fs::remove_dir_all(target).with_context(|| format!("failed to remove {}", target.display()))?;
    }
    digest::OBJECTS
        .iter()
        .map(|(name, features)| Ok((*name, compile(tools, root, target, fresh, features)?)))
        .collect()
}

/// Compiles one object, and strips it to the parts that the kernel needs.
fn compile(
    tools: &setup::BuildTools,
    root: &Path,
    target: &Path,
    fresh: bool,
    features: &str,
) -> Result<Vec<u8>> {
    let profile = target.join(TARGET).join("release");
    let mut cmd = tool::cargo();
    cmd.current_dir(root).args(["build", "--release", "-Z", "build-std=core", "--target", TARGET]);
    cmd.args(["--package", PACKAGE, "--bin", PACKAGE, "--features", features]);
    // The workspace's release profile is for the user half: its strip setting would remove the BTF.
    for setting in ["debug=2", "strip=false", "opt-level=3", "lto='fat'", "codegen-units=1", "panic='abort'"]
    {
        cmd.arg("--config").arg(format!("profile.release.{setting}"));
    }
    if fresh {
        cmd.arg("--locked");
    }
    cmd.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", target);
    cmd.env("CARGO_ENCODED_RUSTFLAGS", rustflags(tools, root)?);
    cmd.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &tools.linker);
    tool::run(&mut cmd)?;

    let (linked, stripped) = (profile.join(PACKAGE), profile.join("portbind.o"));
    let names = profile.join("symbols.txt");
    write(&names, new_names(tools, &linked)?.as_bytes())?;
    strip(tools, &linked, &names, &stripped)?;
    check_sections(tools, &stripped)?;
    let mut list = Command::new(&tools.readelf);
    calls::refuse(&tool::output(list.arg("--relocations").arg("--wide").arg(&stripped))?)?;
    fs::read(&stripped).with_context(|| format!("failed to read {}", stripped.display()))
}

/// Removes debugging data: line numbers are two thirds of an object, the kernel would keep them while the programs run,
/// and relocations of the type information are only for linkers.
fn strip(tools: &setup::BuildTools, linked: &Path, names: &Path, stripped: &Path) -> Result<()> {
    let ext = stripped.with_extension("ext");
    let mut cmd = Command::new(&tools.objcopy);
    tool::run(cmd.arg("--dump-section").arg(section_in(&ext)).arg(linked).arg("/dev/null"))?;
    let bytes = fs::read(&ext).with_context(|| format!("failed to read {}", ext.display()))?;
    write(&ext, &btf_ext::without_lines(&bytes)?)?;
    let mut cmd = Command::new(&tools.objcopy);
    cmd.args(["--strip-debug", "--remove-section", ".rel.BTF", "--remove-section", ".rel.BTF.ext"]);
    cmd.arg("--update-section").arg(section_in(&ext)).arg("--redefine-syms").arg(names);
    tool::run(cmd.arg(linked).arg(stripped))
}

fn section_in(file: &Path) -> OsString {
    let mut word = OsString::from(".BTF.ext=");
    word.push(file);
    word
}

/// The compiler's flags, in the format of `CARGO_ENCODED_RUSTFLAGS`.
fn rustflags(tools: &setup::BuildTools, root: &Path) -> Result<OsString> {
    let mut flags = OsString::from("--cfg=bpf_target_arch=\"x86_64\"\u{1f}-Clink-arg=--btf");
    let folders = [
        (tools.cargo_home.clone(), "/cargo"),
        (tools.sysroot.clone(), "/sysroot"),
        (tools.core_sources.clone(), "/sysroot/lib/rustlib/src/rust"),
        (root.canonicalize().with_context(|| format!("failed to find {}", root.display()))?, "/portbind"),
    ];
    flags.push(tool::remap_flags(&folders));
    Ok(flags)
}

/// New names for the symbols, as `old new` lines: without the crates' hashes, which depend on the path of the sources
/// of `core`, and so differ between machines.
fn new_names(tools: &setup::BuildTools, object: &Path) -> Result<String> {
    let symbols = tool::output(Command::new(&tools.nm).arg("--format=just-symbols").arg(object))?;
    let mangled = symbols.lines().filter(|name| name.starts_with("_R"));
    let pairs: BTreeSet<String> = mangled.map(|name| format!("{name} {}\n", without_hashes(name))).collect();
    let has_any = |pair: &str, parts: &[&str]| parts.iter().any(|part| pair.contains(part));
    let is_subprogram = |pair: &&String| has_any(pair, &OURS) && !has_any(pair, &LOOP_BODIES);
    let subprogram = pairs.iter().find(is_subprogram);
    if let Some(pair) = subprogram {
        bail!("a function is not inlined, and older verifiers are lost in subprograms: {pair}");
    }
    Ok(pairs.into_iter().collect())
}

/// `name` without the disambiguator of each crate root: `Cs<base 62>_4core` becomes `C4core`.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split("Cs");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('_') {
            Some((hash, rest))
                if hash.len() > 8 && hash.chars().all(|character| character.is_ascii_alphanumeric()) =>
            {
                text.push('C');
                text.push_str(rest);
            }
            _ => {
                text.push_str("Cs");
                text.push_str(part);
            }
        }
    }
    text
}

fn check_sections(tools: &setup::BuildTools, object: &Path) -> Result<()> {
    let listing =
        tool::output(Command::new(&tools.readelf).arg("--section-headers").arg("--wide").arg(object))?;
    let names: Vec<&str> =
        listing.lines().filter_map(|line| line.split_once(']')?.1.split_whitespace().next()).collect();
    for (section, why) in SECTIONS {
        let found = names.iter().any(|name| *name == section || (section == "maps" && *name == ".maps"));
        ensure!(found, "the kernel half has no section `{section}` ({why}); it has {names:?}");
    }
    Ok(())
}

/// The tools that affect the object, by name and version.
fn toolchain(tools: &setup::BuildTools) -> Result<[(&'static str, String); 3]> {
    let rustc = tool::output(Command::new("rustc").arg("-V"))?;
    let linker = tool::output(Command::new(&tools.linker).arg("--version"))?;
    let llvm = tool::output(Command::new(&tools.objcopy).arg("--version"))?;
    let llvm = llvm
        .lines()
        .find_map(|line| line.split_once("LLVM version "))
        .map_or("unknown", |(_, version)| version);
    let word = |text: &str| text.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    Ok([("rustc", word(&rustc)), ("bpf-linker", word(&linker)), ("llvm", llvm.trim().to_owned())])
}

fn manifest(tools: &setup::BuildTools, objects: &[(&str, Vec<u8>)], sources: &str) -> Result<String> {
    let mut text =
        String::from("# Written by `cargo xtask ebpf`: what the objects were made from, and with what.\n");
    for (name, object) in objects {
        text.push_str(&format!("{name} = {}\n", digest::of(object)));
    }
    text.push_str(&format!("sources = {sources}\n"));
    for (name, version) in toolchain(tools)? {
        text.push_str(&format!("{name} = {version}\n"));
    }
    Ok(text)
}

/// Copies the files of the repository, committed or not, into `folder`.
pub(crate) fn copy_sources(folder: &Path) -> Result<PathBuf> {
    let root = workspace::root();
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    let mut cmd = Command::new("git");
    cmd.arg("-C").arg(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for name in tool::output(&mut cmd)?.split_terminator('\0') {
        let (from, to) = (root.join(name), folder.join(name));
        if !from.is_file() {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
        }
        fs::copy(&from, &to)
            .with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    }
    Ok(folder.to_path_buf())
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes() {
        let name = "_RNvMNtCsdG2mWmDYBRb_13portbind_ebpf4sockNtCsg1DpICPrrKT_4core4Cell";
        assert_eq!(without_hashes(name), "_RNvMNtC13portbind_ebpf4sockNtC4core4Cell");
        assert_eq!(without_hashes("_RNvC4core8ThreeCs_x"), "_RNvC4core8ThreeCs_x");
    }
}
