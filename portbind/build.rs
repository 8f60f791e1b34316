//! Packs the committed objects of the kernel half for embedding, and refuses to build when they and its sources differ.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

#[path = "bpf/digest.rs"]
mod digest;
#[path = "bpf/lz4.rs"]
mod lz4;

/// Set to 1, it lets a build pass while the kernel half is being changed.
const SKIP: &str = "PORTBIND_SKIP_DIGEST";
const STALE: &str =
    "the kernel half's sources no longer match the objects in portbind/bpf: run `cargo xtask ebpf`";

/// The processor that the committed objects are built for: they have its layouts of registers and its atomic
/// instructions.
const ARCHITECTURE: &str = "x86_64";

fn main() {
    if let Err(error) =
        is_for_target().and_then(|()| pack()).and_then(|()| pack_pages()).and_then(|()| check())
    {
        println!("cargo::error={error:#}");
    }
}

/// The objects would load elsewhere, and see nothing.
fn is_for_target() -> Result<()> {
    let target = env::var("CARGO_CFG_TARGET_ARCH").context("CARGO_CFG_TARGET_ARCH is not set")?;
    ensure!(
        target == ARCHITECTURE,
        "portbind runs on {ARCHITECTURE} alone: its kernel half is not built for {target}"
    );
    Ok(())
}

/// Packed, the objects are a seventh as large.
fn pack() -> Result<()> {
    for (name, _) in digest::OBJECTS {
        write_packed(name, &read_object(name)?)?;
    }
    Ok(())
}

/// A folder that Cargo names.
fn folder(variable: &str) -> Result<PathBuf> {
    env::var_os(variable).map(PathBuf::from).with_context(|| format!("{variable} is not set"))
}

fn read_object(name: &str) -> Result<Vec<u8>> {
    fs::read(folder("CARGO_MANIFEST_DIR")?.join("bpf").join(name))
        .with_context(|| format!("portbind/bpf/{name} is missing: run `cargo xtask ebpf`"))
}

/// Writes packed bytes to where the program embeds them from.
fn write_packed(name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder("OUT_DIR")?.join(format!("{name}.lz4"));
    let packed = lz4::pack(bytes);
    ensure!(
        lz4_flex::block::decompress_size_prepended(&packed).is_ok_and(|unpacked| unpacked == bytes),
        "{name} is packed wrongly"
    );
    fs::write(&path, packed).with_context(|| format!("failed to write {}", path.display()))
}

/// The pages of causes in one file, each behind a line with its code. Cargo follows the link `causes` to docs/causes
/// when it makes a package.
fn pack_pages() -> Result<()> {
    println!("cargo::rerun-if-changed=causes");
    let files = fs::read_dir(folder("CARGO_MANIFEST_DIR")?.join("causes"));
    let mut pages = Vec::new();
    for entry in files.context("portbind/causes is missing")? {
        let path = entry?.path();
        let code = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "md") && code != "README" {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            pages.push((code, text));
        }
    }
    pages.sort();
    let joined: String = pages.iter().map(|(code, text)| format!("\x1f{code}\n{text}")).collect();
    write_packed("causes", joined.as_bytes())
}

fn check() -> Result<()> {
    println!("cargo::rerun-if-env-changed={SKIP}");
    for path in ["build.rs", "bpf"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let package = folder("CARGO_MANIFEST_DIR")?;
    let manifest = fs::read_to_string(package.join("bpf/MANIFEST"))
        .context("portbind/bpf/MANIFEST is missing: run `cargo xtask ebpf`")?;

    // A published package comes without the kernel half's sources: there is nothing to compare.
    let Some(root) = package.parent().filter(|root| root.join("portbind-ebpf/Cargo.toml").exists()) else {
        return Ok(());
    };
    println!("cargo::rerun-if-changed=../portbind-abi");
    println!("cargo::rerun-if-changed=../portbind-ebpf");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    if env::var(SKIP).is_ok_and(|value| value == "1") {
        return Ok(());
    }
    for (name, _) in digest::OBJECTS {
        ensure!(
            digest::manifest_value(&manifest, name) == Some(&digest::of(&read_object(name)?)),
            "portbind/bpf/{name} is not the object that portbind/bpf/MANIFEST names: run `cargo xtask ebpf`"
        );
    }
    if digest::manifest_value(&manifest, "sources") != Some(&digest::sources(root)?) {
        bail!(STALE);
    }
    Ok(())
}
