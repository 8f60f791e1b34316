//! Bounded reads below `/proc`.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{read, retry_on_intr};

use super::stat::Stat;

/// Enough for every file of a process except its arguments.
const SMALL: u64 = 64 * 1024;
/// Bytes of one read: the first read returns nearly every file of a process as a whole.
const PART: usize = 4096;

/// A mounted process table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procfs {
    root: PathBuf,
}

impl Procfs {
    /// The process table at `/proc`.
    #[must_use]
    pub fn new() -> Self {
        Self::at("/proc")
    }

    /// The process table at `root`.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The mount point.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Start of a process in clock ticks (`USER_HZ`) since boot: field 22 of `/proc/PID/stat` (do_task_stat in
    /// fs/proc/array.c). Start and pid together identify one process for good; `None` if there is no such process.
    #[must_use]
    pub fn start_ticks(&self, pid: u32) -> Option<u64> {
        Some(self.stat(pid)?.start_ticks)
    }

    /// Inode number of a namespace of this process.
    #[must_use]
    pub fn own_namespace(&self, name: &str) -> Option<u32> {
        self.namespace_of("self", name)
    }

    /// Inode number of a namespace, from `/proc/PID/ns/NAME` (ns_get_name in fs/nsfs.c).
    pub(super) fn namespace_of(&self, who: &str, name: &str) -> Option<u32> {
        let link = self.link(&format!("{who}/ns/{name}"))?;
        let text = std::str::from_utf8(&link).ok()?;
        text.strip_prefix(name)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
    }

    /// Whether a descriptor is closed on execve: `flags` in `/proc/PID/fdinfo/FD`, octal, with O_CLOEXEC (seq_show in
    /// fs/proc/fd.c); `None` if the file cannot be read.
    #[must_use]
    pub fn close_on_exec(&self, pid: u32, fd: u32) -> Option<bool> {
        const O_CLOEXEC: u32 = 0o2_000_000;
        let text = self.read(&format!("{pid}/fdinfo/{fd}"))?;
        let text = std::str::from_utf8(&text).ok()?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
        Some(u32::from_str_radix(flags.trim(), 8).ok()? & O_CLOEXEC != 0)
    }

    /// Whether the table lacks this process: it is not mounted, or belongs to another pid namespace. Callers must
    /// handle other read errors themselves.
    #[must_use]
    pub fn lacks_this_process(&self) -> bool {
        let found = fs::metadata(self.root.join("self/stat"));
        found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    /// The owner of a file of a process: the process's user, or root if that user may not inspect the process
    /// (task_dump_owner in fs/proc/base.c of 6.18).
    pub(super) fn owner(&self, path: &str) -> Option<u32> {
        Some(fs::metadata(self.root.join(path)).ok()?.uid())
    }

    pub(super) fn stat(&self, pid: u32) -> Option<Stat> {
        Stat::parse(&self.read(&format!("{pid}/stat"))?)
    }

    /// The first 64 KiB of a file.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.read_up_to(path, SMALL)
    }

    /// The start of a file; `None` if it cannot be read, for example because the process has just ended.
    pub(super) fn read_up_to(&self, path: &str, limit: u64) -> Option<Vec<u8>> {
        let file = open(self.root.join(path), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let (mut bytes, mut part) = (Vec::new(), [0; PART]);
        let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
        while left > 0 {
            let most = left.min(PART);
            let length = retry_on_intr(|| read(&file, &mut part[..most])).ok()?;
            if length == 0 {
                break;
            }
            bytes.extend_from_slice(part.get(..length)?);
            left = left.saturating_sub(length);
        }
        // The file may be an environment, of which no copy may remain. Otherwise the compiler would remove the zeroing.
        part.fill(0);
        std::hint::black_box(&part);
        Some(bytes)
    }

    /// Device and inode number of the program that a process runs; `None` if the process may not be traced, or is gone.
    pub(crate) fn executable_file(&self, pid: u32) -> Option<(u64, u64)> {
        let file = fs::metadata(self.root.join(format!("{pid}/exe"))).ok()?;
        Some((file.dev(), file.ino()))
    }

    /// Where a link points.
    pub(super) fn link(&self, path: &str) -> Option<Vec<u8>> {
        Some(fs::read_link(self.root.join(path)).ok()?.into_os_string().into_vec())
    }
}

impl Default for Procfs {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn reads_namespace_numbers() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("self/ns")).unwrap();
        symlink("net:[4026531840]", root.path().join("self/ns/net")).unwrap();
        symlink("pid:[x]", root.path().join("self/ns/pid")).unwrap();
        let procfs = Procfs::at(root.path());
        assert_eq!(procfs.own_namespace("net"), Some(4_026_531_840));
        assert_eq!(procfs.own_namespace("pid"), None);
        assert_eq!(procfs.own_namespace("ipc"), None);
    }

    #[test]
    fn reads_no_more_than_asked() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "12345").unwrap();
        let procfs = Procfs::at(root.path());
        assert_eq!(procfs.read_up_to("file", 3).unwrap(), b"123");
        assert_eq!(procfs.read("none"), None);
    }

    #[test]
    fn reads_the_flags_of_a_descriptor() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("7/fdinfo")).unwrap();
        let procfs = Procfs::at(root.path());
        for (flags, expected) in [("02000002", Some(true)), ("02", Some(false)), ("x", None)] {
            fs::write(root.path().join("7/fdinfo/3"), format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t9\n"))
                .unwrap();
            assert_eq!(procfs.close_on_exec(7, 3), expected, "{flags}");
        }
        assert_eq!(procfs.close_on_exec(7, 4), None);
    }

    #[test]
    fn a_process_table_without_this_process_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert!(Procfs::at(root.path()).lacks_this_process());
        assert!(Procfs::at("/nowhere").lacks_this_process());
    }

    #[test]
    fn this_process_has_a_start() {
        let procfs = Procfs::new();
        assert!(!procfs.lacks_this_process());
        let ticks = procfs.start_ticks(std::process::id());
        assert!(ticks.is_some());
        assert_eq!(ticks, procfs.start_ticks(std::process::id()));
    }
}
