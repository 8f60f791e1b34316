//! The machine's root file system: a cpio archive in the "newc" format, unpacked by the kernel
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;
const LINK: u32 = 0o120_777;
const CHARACTER_DEVICE: u32 = 0o020_600;
const FOLDERS: [&str; 10] =
    ["bin", "dev", "etc", "modules", "proc", "root", "run", "scenarios", "sys", "tmp"];

/// The contents of every machine.
#[derive(Debug)]
pub(super) struct Files {
    /// The first process.
    pub(super) init: PathBuf,
    /// Programs for /bin.
    pub(super) programs: Vec<PathBuf>,
    /// Folder of the scenario files, for /scenarios.
    pub(super) scenarios: PathBuf,
    /// A whole system below all this.
    pub(super) system: Option<PathBuf>,
}

/// Writes the archive to `path`, with the arguments of the tests in /args, one per line, and `modules` in /modules,
/// numbered in their order of loading.
pub(super) fn write(path: &Path, files: &Files, arguments: &[String], modules: &[PathBuf]) -> Result<()> {
    let file = File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    let mut archive = Archive { to: BufWriter::new(file), inode: 0 };
    fill(&mut archive, files, arguments, modules)
        .with_context(|| format!("failed to write {}", path.display()))
}

fn fill<W: Write>(
    archive: &mut Archive<W>,
    files: &Files,
    arguments: &[String],
    modules: &[PathBuf],
) -> Result<()> {
    if let Some(system) = &files.system {
        add_folder(archive, system, "")?;
    }
    for folder in FOLDERS {
        // A folder must not replace a symbolic link.
        if files.system.as_ref().is_none_or(|system| !system.join(folder).exists()) {
            archive.entry(folder, FOLDER, (0, 0), &[])?;
        }
    }
    archive.entry("dev/console", CHARACTER_DEVICE, (5, 1), &[])?;
    archive.entry("args", PLAIN, (0, 0), arguments.join("\n").as_bytes())?;
    archive.entry("init", PROGRAM, (0, 0), &read(&files.init)?)?;
    for program in &files.programs {
        archive.entry(&format!("bin/{}", name(program)), PROGRAM, (0, 0), &read(program)?)?;
    }
    for (number, module) in modules.iter().enumerate() {
        archive.entry(&format!("modules/{number}-{}", name(module)), PLAIN, (0, 0), &read(module)?)?;
    }
    add_folder(archive, &files.scenarios, "scenarios")?;
    archive.entry("TRAILER!!!", 0, (0, 0), &[])?;
    archive.to.flush()?;
    Ok(())
}

fn add_folder<W: Write>(archive: &mut Archive<W>, from: &Path, to: &str) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    let entries = fs::read_dir(from).with_context(|| format!("failed to list {}", from.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let to = if to.is_empty() { name(&path) } else { format!("{to}/{}", name(&path)) };
        let about =
            fs::symlink_metadata(&path).with_context(|| format!("failed to read {}", path.display()))?;
        if about.is_symlink() {
            archive.entry(&to, LINK, (0, 0), fs::read_link(&path)?.as_os_str().as_bytes())?;
        } else if about.is_dir() {
            archive.entry(&to, FOLDER, (0, 0), &[])?;
            add_folder(archive, &path, &to)?;
        } else if about.is_file() {
            let mode = if about.mode() & 0o111 == 0 { PLAIN } else { PROGRAM };
            archive.entry(&to, mode, (0, 0), &read(&path)?)?;
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}

/// A writer of cpio archives.
#[derive(Debug)]
struct Archive<W> {
    to: W,
    inode: u32,
}

impl<W: Write> Archive<W> {
    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) -> Result<()> {
        self.inode += 1;
        let size = u32::try_from(content.len()).context("too large for the archive")?;
        let name_size = u32::try_from(name.len() + 1).context("too long for the archive")?;
        // inode, mode, uid, gid, links, time, size, device (2), node (2), length of the name, checksum
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        self.padded(&[header.as_bytes(), name.as_bytes(), b"\0"].concat())?;
        self.padded(content)
    }

    /// Writes header, name and content, each padded to a multiple of four bytes.
    fn padded(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes)?;
        self.to.write_all(&[0; 3][..bytes.len().wrapping_neg() % 4])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let mut archive = Archive { to: Vec::new(), inode: 0 };
        archive.entry("args", PLAIN, (0, 0), b"hello").unwrap();
        archive.entry("TRAILER!!!", 0, (0, 0), &[]).unwrap();
        let bytes = archive.to;
        // 110 bytes of header and 5 of name make 115, padded to 116; 5 of content, padded to 8.
        assert_eq!(&bytes[..14], b"07070100000001");
        assert_eq!(&bytes[110..116], b"args\0\0");
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
        assert_eq!(&bytes[124..130], b"070701");
        assert_eq!(bytes.len() % 4, 0);
    }
}
