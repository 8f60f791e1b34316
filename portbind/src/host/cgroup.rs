//! Numbers of cgroups, as the kernel half tells them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Host;

/// Where the unified hierarchy is mounted: alone, or beside the older ones (cgroups(7)).
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// Magic number of the unified hierarchy (CGROUP2_SUPER_MAGIC, include/uapi/linux/magic.h).
const MAGIC: i64 = 0x6367_7270;

impl Host {
    /// Id of the cgroup of a process in the unified hierarchy: the number of its folder
    /// (`cgroup_id`, include/linux/cgroup.h). `None` where that is not mounted in full.
    #[must_use]
    pub fn cgroup_id(&self, pid: u32) -> Option<u64> {
        let text = self.procfs.read(&format!("{pid}/cgroup"))?;
        let path = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"0::/"))?;
        let path = Path::new(std::str::from_utf8(path).ok()?);
        let is_unified = |mount: &&str| rustix::fs::statfs(*mount).is_ok_and(|found| found.f_type == MAGIC);
        let mount = MOUNTS.into_iter().find(is_unified)?;
        Some(std::fs::metadata(PathBuf::from(mount).join(path)).ok()?.ino())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_line_of_the_unified_hierarchy_has_no_number() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::at(root.path());
        assert_eq!(host.cgroup_id(7), None);
        std::fs::create_dir_all(root.path().join("proc/7")).unwrap();
        std::fs::write(root.path().join("proc/7/cgroup"), "4:memory:/a\n").unwrap();
        assert_eq!(host.cgroup_id(7), None);
    }
}
