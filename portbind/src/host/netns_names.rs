//! Network namespaces by name and by number.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::machine::Host;
use super::unix;

impl Host {
    /// The name that ip-netns(8) or a similar program gave a network namespace: the name of the file in `/run/netns`
    /// that the namespace is mounted on.
    #[must_use]
    pub fn network_namespace_name(&self, netns: u32) -> Option<String> {
        const NAMES: &str = "run/netns";
        // Inode numbers are unique within one file system only, here the file system of all namespaces.
        let (device, _) = self.files.identity("proc/self/ns/net")?;
        let named = (device, u64::from(netns));
        let mut names = self.files.names(NAMES).into_iter();
        names.find(|name| self.files.identity(&format!("{NAMES}/{name}")) == Some(named))
    }

    /// Opens a network namespace by its inode number, if a process is in it or it has a name.
    #[must_use]
    pub fn open_network_namespace(&self, netns: u32) -> Option<OwnedFd> {
        let by_process = unix::namespace(&self.procfs, netns, std::process::id());
        by_process.map(|(_, file)| file).or_else(|| {
            let name = self.network_namespace_name(netns)?;
            Some(File::open(Path::new("/run/netns").join(name)).ok()?.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_namespaces() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::at(root.path());
        for path in ["proc/self/ns/net", "run/netns/blue", "run/netns/red"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let inode = |path: &str| u32::try_from(host.files.identity(path).unwrap().1).unwrap();
        assert_eq!(host.network_namespace_name(inode("run/netns/red")).as_deref(), Some("red"));
        assert_eq!(host.network_namespace_name(inode("proc/self/ns/net")), None);
        fs::remove_file(root.path().join("proc/self/ns/net")).unwrap();
        assert_eq!(host.network_namespace_name(inode("run/netns/red")), None);
    }
}
