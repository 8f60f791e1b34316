//! Packs the committed objects of the kernel half for embedding, and refuses to build when they and its sources differ.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

#[path = "bpf/digest.rs"]
mod digest;

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

/// Packed, the objects are a fifth as large.
fn pack() -> Result<()> {
    let package = env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?;
    let output = env::var("OUT_DIR").context("OUT_DIR is not set")?;
    for (name, _) in digest::OBJECTS {
        let object = fs::read(Path::new(&package).join("bpf").join(name))
            .with_context(|| format!("portbind/bpf/{name} is missing: run `cargo xtask ebpf`"))?;
        let packed = lz4_flex::compress_prepend_size(&object);
        let path = Path::new(&output).join(format!("{name}.lz4"));
        fs::write(&path, packed).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

/// The pages of causes in one file, each behind a line with its code. The folder `causes` is a link to docs/causes,
/// which
/// Cargo follows for a package.
fn pack_pages() -> Result<()> {
    println!("cargo::rerun-if-changed=causes");
    let package = env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?;
    let output = env::var("OUT_DIR").context("OUT_DIR is not set")?;
    let folder = fs::read_dir(Path::new(&package).join("causes")).context("portbind/causes is missing")?;
    let mut pages = Vec::new();
    for entry in folder {
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
    let packed = lz4_flex::compress_prepend_size(joined.as_bytes());
    fs::write(Path::new(&output).join("causes.lz4"), packed).context("cannot write causes.lz4")
}

fn check() -> Result<()> {
    println!("cargo::rerun-if-env-changed={SKIP}");
    for path in ["build.rs", "bpf"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let package = env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?;
    let package = Path::new(&package);
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
        let object = fs::read(package.join("bpf").join(name))
            .with_context(|| format!("portbind/bpf/{name} is missing: run `cargo xtask ebpf`"))?;
        ensure!(
            digest::manifest_value(&manifest, name) == Some(&digest::of(&object)),
            "portbind/bpf/{name} is not the object that portbind/bpf/MANIFEST names: run `cargo xtask ebpf`"
        );
    }
    if digest::manifest_value(&manifest, "sources") != Some(&digest::sources(root)?) {
        bail!(STALE);
    }
    Ok(())
}
