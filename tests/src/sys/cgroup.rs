//! Cgroups of the tests' own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// A cgroup, removed in the end with those above it that it made. Who is in it must have ended before.
#[derive(Debug)]
pub struct Cgroup {
    mounted: PathBuf,
    path: PathBuf,
}

impl Cgroup {
    /// Makes the cgroup of this path in the hierarchy, which is mounted apart from all others.
    ///
    /// # Errors
    ///
    /// What the kernel says.
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

    /// Moves a process into it.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn enter(&self, pid: u32) -> io::Result<()> {
        fs::write(self.path.join("cgroup.procs"), pid.to_string())
    }

    /// Its folder.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let made = self.path.ancestors().take_while(|path| *path != self.mounted && *path != Path::new("/"));
        for path in made {
            // Somebody else may be in one above.
            let _gone = fs::remove_dir(path);
        }
        let _gone = unmount(&self.mounted, UnmountFlags::DETACH);
        let _gone = fs::remove_dir(&self.mounted);
    }
}
