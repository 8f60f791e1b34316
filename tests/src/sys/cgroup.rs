//! Cgroups for the tests.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// A cgroup, removed when dropped, with its newly created parents. Its processes must have ended before.
#[derive(Debug)]
pub struct Cgroup {
    mounted: PathBuf,
    path: PathBuf,
}

impl Cgroup {
    /// Creates the cgroup of this path in the hierarchy, which is mounted separately.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn new(path: &str) -> io::Result<Self> {
        static MOUNTS: AtomicU32 = AtomicU32::new(0);
        let number = MOUNTS.fetch_add(1, Ordering::Relaxed);
        let name = format!("portbind-tests-{}-cgroup-{number}", std::process::id());
        let mounted = std::env::temp_dir().join(name);
        fs::create_dir_all(&mounted)?;
        mount("none", &mounted, "cgroup2", MountFlags::empty(), None)?;
        let cgroup = Self { path: mounted.join(path), mounted };
        fs::create_dir_all(&cgroup.path)?;
        Ok(cgroup)
    }

    /// Moves a process into the cgroup.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn enter(&self, pid: u32) -> io::Result<()> {
        fs::write(self.path.join("cgroup.procs"), pid.to_string())
    }

    /// Opens the folder of the cgroup.
    ///
    /// # Errors
    ///
    /// The error of the kernel.
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let made = self.path.ancestors().take_while(|path| *path != self.mounted && *path != Path::new("/"));
        for path in made {
            // A parent may contain processes of another program.
            let _gone = fs::remove_dir(path);
        }
        let _gone = unmount(&self.mounted, UnmountFlags::DETACH);
        let _gone = fs::remove_dir(&self.mounted);
    }
}
