//! A virtual machine with a whole Debian, which can run other tracers, for `cargo xtask bench --vm`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::programs::build;
use super::{initramfs, kernels, qemu};
use crate::{apt, tool, workspace};

/// The Debian release of the other tracers.
const SUITE: &str = "bookworm";
/// The system is in memory, and so is its archive while it is unpacked. With a single processor, the time of a call
/// would include the tracer's work on a refusal.
const SIZE: qemu::Size = qemu::Size { memory: 4096, processors: 2 };
/// Files that are not needed in the machine.
const LEFT_OUT: [&str; 3] = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/// Boots the kernel of `series`, runs `xtask` with these arguments, and returns the console's lines.
pub(crate) fn run(series: &str, arguments: &[String], packages: &[&str]) -> Result<Vec<String>> {
    let kernel = kernels::fetch(series)?;
    let folder = build(&["portbind-tests", "portbind", "xtask"])?;
    let files = initramfs::Files {
        init: folder.join("portbind-init"),
        programs: ["portbind", "portbind-tests", "xtask"].map(|name| folder.join(name)).to_vec(),
        scenarios: workspace::root().join("tests/scenarios"),
        system: Some(system(packages)?),
    };
    let archive = kernel.folder.join("bench.cpio");
    initramfs::write(&archive, &files, arguments, &kernel.modules)?;
    let limit = Duration::from_secs(qemu::TIMEOUT * 2);
    let verdict = qemu::boot(&kernel.series, &kernel.image, &archive, SIZE, limit)?;
    ensure!(verdict.success, "the measurements in the machine failed");
    Ok(verdict.console)
}

/// The folder of the system, which is created once.
fn system(packages: &[&str]) -> Result<PathBuf> {
    let work = workspace::target().join("bench");
    let (root, made) = (work.join("root"), work.join("PACKAGES"));
    let wanted = packages.join(",");
    if fs::read_to_string(&made).is_ok_and(|packages| packages == wanted) {
        return Ok(root);
    }
    fs::create_dir_all(&work).with_context(|| format!("failed to create {}", work.display()))?;
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("failed to remove {}", root.display()))?;
    }
    let sources = work.join("sources.list");
    fs::write(&sources, apt::sources_of(SUITE)?)?;
    let mut cmd = Command::new("mmdebstrap");
    cmd.args(["--quiet", "--variant=minbase"]).arg(format!("--include={wanted}"));
    cmd.args(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
    tool::run(cmd.arg(SUITE).arg(&root).arg(&sources))?;
    // Written last: its presence means that everything is complete.
    fs::write(&made, wanted).with_context(|| format!("failed to write {}", made.display()))?;
    Ok(root)
}
