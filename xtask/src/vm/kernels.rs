//! The kernels of the matrix: Debian's cloud kernels, fetched and unpacked once, never installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{apt, tool, workspace};

/// The matrix, oldest first.
pub(super) const SERIES: [&str; 5] = ["5.10", "6.1", "6.12", "7.2", "7.3"];
/// The oldest and the newest.
pub(super) const ENDS: [&str; 2] = [SERIES[0], SERIES[SERIES.len() - 1]];
/// The backends that continuous integration tests on a kernel; if the kernel is one of the [`ENDS`], the first backend
/// runs all checks. Each backend is tested on the oldest kernel and on a newer one; `tracepoint`, which has the fewest
/// requirements, also on the running kernel.
pub(super) const fn backends(series: &str) -> &'static [&'static str] {
    match series.as_bytes() {
        b"5.10" => &["kprobe", "fexit", "tracepoint"],
        b"6.12" => &["tracepoint"],
        b"7.3" => &["kprobe"],
        _ => &["fexit"],
    }
}

/// The metapackage of the current cloud kernel of a suite.
const META: &str = "linux-image-cloud-amd64";
/// Modules for the machine, in the order in which they can be loaded.
const MODULES: [&str; 4] = ["inet_diag", "tcp_diag", "udp_diag", "unix_diag"];
/// Modules that not every kernel has as modules: vsock, and SCTP with its dependencies.
const MORE_MODULES: [&str; 6] =
    ["vsock", "crc32c_generic", "libcrc32c", "udp_tunnel", "ip6_udp_tunnel", "sctp"];

/// A kernel that is ready to boot.
#[derive(Debug)]
pub(super) struct Kernel {
    /// `6.12`.
    pub(super) series: String,
    /// `6.12.117+deb13-cloud-amd64`.
    pub(super) release: String,
    /// The folder with the kernel.
    pub(super) folder: PathBuf,
    /// The image to boot.
    pub(super) image: PathBuf,
    /// Modules, in the order in which they can be loaded.
    pub(super) modules: Vec<PathBuf>,
}

/// The kernel of `series`, if it was fetched before.
pub(super) fn cached(series: &str) -> Option<Kernel> {
    let folder = workspace::target().join("vm").join(series);
    // Written last: its presence means that everything is complete.
    let release = fs::read_to_string(folder.join("RELEASE")).ok()?;
    // Fetched by a version of this program that required other modules.
    if fs::read_to_string(folder.join("MODULES")).ok()? != wanted_modules() {
        return None;
    }
    let names = MODULES.iter().chain(&MORE_MODULES);
    let modules = names.map(|name| folder.join(format!("{name}.ko"))).filter(|path| path.exists()).collect();
    Some(Kernel { series: series.to_owned(), release, image: folder.join("vmlinuz"), modules, folder })
}

/// The kernel of `series`, downloaded if it is not cached.
pub(super) fn fetch(series: &str) -> Result<Kernel> {
    if let Some(kernel) = cached(series) {
        return Ok(kernel);
    }
    let apt = apt::Private::open()?;
    let (package, version) = resolve(&apt, series)?;
    let folder = workspace::target().join("vm").join(series);
    let unpacked = folder.join("unpacked");
    for part in parts(&apt, &package, &version)? {
        let file = apt.download(&part, &version).or_else(|error| {
            // Security suites may list signed packages whose files do not exist yet.
            println!("{error:#}; trying the unsigned package");
            apt.download(&format!("{part}-unsigned"), &version)
        })?;
        apt::unpack(&file, &unpacked)?;
    }
    let files = walk(&unpacked)?;
    let find = |prefix: &str| files.iter().find(|path| file_name(path).starts_with(prefix));
    let image = find("vmlinuz").with_context(|| format!("{package} {version} holds no vmlinuz"))?;
    copy(image, &folder.join("vmlinuz"))?;
    for name in MODULES {
        let module =
            find(&format!("{name}.ko")).with_context(|| format!("{package} {version} lacks {name}.ko"))?;
        decompress(module, &folder.join(format!("{name}.ko")))?;
    }
    for name in MORE_MODULES {
        if let Some(module) = find(&format!("{name}.ko")) {
            decompress(module, &folder.join(format!("{name}.ko")))?;
        }
    }
    fs::write(folder.join("MODULES"), wanted_modules())
        .with_context(|| format!("failed to write {}", folder.display()))?;
    fs::remove_dir_all(&unpacked).with_context(|| format!("failed to remove {}", unpacked.display()))?;
    let release = package.strip_prefix("linux-image-").unwrap_or(&package);
    fs::write(folder.join("RELEASE"), release)
        .with_context(|| format!("failed to write {}", folder.display()))?;
    cached(series).with_context(|| format!("{} is incomplete", folder.display()))
}

/// Name and version of the newest image package of `series` in any suite.
fn resolve(apt: &apt::Private, series: &str) -> Result<(String, String)> {
    let prefix = format!("{series}.");
    let current = apt.versions(META)?;
    if let Some(version) = current.iter().find(|version| version.starts_with(&prefix)) {
        let depends = apt.depends(META, version)?;
        let image = depends.into_iter().find(|name| name.starts_with(&format!("linux-image-{prefix}")));
        return Ok((image.with_context(|| format!("{META} {version} names no image"))?, version.clone()));
    }
    // The suite has a newer version, but older images may still exist.
    let mut names = apt.names(&format!("linux-image-{prefix}"))?;
    names.retain(|name| name.ends_with("-cloud-amd64"));
    names.sort_by_key(|name| numbers(name));
    for name in names.into_iter().rev() {
        if let Some(version) = apt.versions(&name)?.into_iter().next() {
            return Ok((name, version));
        }
    }
    bail!("no Debian suite has a cloud kernel {series} any more; there are {}", current.join(", "))
}

/// The packages with the image and the modules: newer kernels are split into several packages.
fn parts(apt: &apt::Private, package: &str, version: &str) -> Result<Vec<String>> {
    let mut parts = apt.depends(package, version)?;
    parts.retain(|name| name.starts_with("linux-binary-") || name.starts_with("linux-modules-"));
    Ok(if parts.is_empty() { vec![package.to_owned()] } else { parts })
}

/// The numbers in `name`, so that 7.2.13 sorts after 7.2.9.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

/// The names of all modules, one per line.
fn wanted_modules() -> String {
    MODULES.iter().chain(&MORE_MODULES).map(|name| format!("{name}\n")).collect()
}

fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))? {
            let entry = entry.with_context(|| format!("failed to list {}", folder.display()))?;
            let kind =
                entry.file_type().with_context(|| format!("failed to read {}", entry.path().display()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn decompress(module: &Path, to: &Path) -> Result<()> {
    let program = match module.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        _ => return copy(module, to),
    };
    let output = File::create(to).with_context(|| format!("failed to create {}", to.display()))?;
    tool::run(Command::new(program).arg("-dc").arg(module).stdin(Stdio::null()).stdout(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_by_number() {
        let mut names = ["linux-image-7.2.13+deb14-cloud-amd64", "linux-image-7.2.9+deb13-cloud-amd64"];
        names.sort_by_key(|name| numbers(name));
        assert_eq!(names.last(), Some(&"linux-image-7.2.13+deb14-cloud-amd64"));
    }
}
