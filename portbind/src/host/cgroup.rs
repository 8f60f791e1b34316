//! Ids of cgroups, as the kernel half reports them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use super::machine::Host;

/// Mount points of the unified hierarchy: alone, or beside the older hierarchies (cgroups(7)).
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// Magic number of the unified hierarchy (CGROUP2_SUPER_MAGIC, include/uapi/linux/magic.h).
const MAGIC: i64 = 0x6367_7270;

impl Host {
    /// Id of the cgroup of a process in the unified hierarchy: the inode number of the cgroup's folder (`cgroup_id`,
    /// include/linux/cgroup.h). `None` where that hierarchy is not mounted in full.
    #[must_use]
    pub fn cgroup_id(&self, pid: u32) -> Option<u64> {
        self.cgroup_ids(pid).into_iter().next()
    }

    /// Like [`Self::cgroup_id`], followed by the ids of the parent cgroups, up to the root that this process sees.
    /// Empty if one of the ids is unknown.
    #[must_use]
    pub fn cgroup_ids(&self, pid: u32) -> Vec<u64> {
        self.cgroup_folders(pid).unwrap_or_default()
    }

    fn cgroup_folders(&self, pid: u32) -> Option<Vec<u64>> {
        let text = self.procfs.read(&format!("{pid}/cgroup"))?;
        let path = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"0::/"))?;
        let path = Path::new(OsStr::from_bytes(path));
        // The cgroup is outside of the cgroup namespace of this process (cgroup_namespaces(7)).
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let is_unified = |mount: &&str| rustix::fs::statfs(*mount).is_ok_and(|found| found.f_type == MAGIC);
        let mount = Path::new(MOUNTS.into_iter().find(is_unified)?);
        let folder = mount.join(path);
        let chain = folder.ancestors().take_while(|folder| folder.starts_with(mount));
        chain.map(|folder| Some(std::fs::metadata(folder).ok()?.ino())).collect()
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
        std::fs::write(root.path().join("proc/7/cgroup"), "0::/../other\n").unwrap();
        assert!(host.cgroup_ids(7).is_empty());
    }

    #[test]
    fn this_process_is_below_the_root() {
        let ids = Host::new().cgroup_ids(std::process::id());
        let root = MOUNTS.map(|mount| std::fs::metadata(mount).map(|found| found.ino()).ok());
        assert!(ids.is_empty() || root.contains(&ids.last().copied()), "{ids:?}");
    }
}
