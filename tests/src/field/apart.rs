//! A thread with networks and mounts of its own, and the end of every process that it leaves.
//!
//! The processes keep the pids of the host: `portbind run` follows no command in another pid namespace, and the
//! commands that it prints have pids of its own namespace.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::sys::{net, process};

/// How often the processes of a namespace are searched for until none is left.
const SEARCHES: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);

/// Does something in a thread with a network namespace and a mount namespace of its own, with an empty `/run`; then
/// ends every process of the network namespace.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    let inside = || {
        net::new_namespace().context("the network namespace")?;
        process::own_mounts().context("the mount namespace")?;
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
        mount("none", "/run", "tmpfs", MountFlags::empty(), None)?;
        let namespace = fs::metadata("/proc/thread-self/ns/net")?.ino();
        let done = work();
        end_all(namespace)?;
        done
    };
    std::thread::scope(|scope| scope.spawn(inside).join()).ok().context("the thread panicked")?
}

/// Ends the processes of a network namespace.
fn end_all(namespace: u64) -> anyhow::Result<()> {
    for _ in 0..SEARCHES {
        let found = processes(namespace)?;
        if found.is_empty() {
            return Ok(());
        }
        for pid in found {
            // A pid that was used again meanwhile belongs to another namespace.
            let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            if is_in(pid, namespace) {
                let _gone = pidfd_send_signal(&pidfd, Signal::KILL);
            }
        }
        std::thread::sleep(PAUSE);
    }
    let left = processes(namespace)?;
    ensure!(left.is_empty(), "processes that do not end: {left:?}");
    Ok(())
}

/// The processes whose first thread is in a network namespace.
fn processes(namespace: u64) -> anyhow::Result<Vec<Pid>> {
    let pids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(Pid::from_raw).filter(|pid| is_in(*pid, namespace)).collect())
}

/// A process that has ended is in no namespace.
fn is_in(pid: Pid, namespace: u64) -> bool {
    let path = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
    fs::metadata(path).is_ok_and(|found| found.ino() == namespace)
}
