//! Which capabilities are kept, and how all others are given up.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

use super::purpose::Purpose;
use crate::diagnosis::rule::Generation;
use crate::host::procfs::Procfs;

/// From this version on, map lookups need no capability (kernel commit c8644cd0efe7, "bpf: refine
/// kernel.unprivileged_bpf_disabled behaviour").
const OPEN_LOOKUPS: Generation = Generation::new(5, 19);

/// A capability that is kept, and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The capability.
    pub capability: CapabilitySet,
    /// Name of the capability.
    pub name: &'static str,
    /// What fails without the capability.
    pub purpose: &'static str,
}

const fn keep(capability: CapabilitySet, name: &'static str, purpose: &'static str) -> Kept {
    Kept { capability, name, purpose }
}

const SYS_PTRACE: Kept = keep(
    CapabilitySet::SYS_PTRACE,
    "CAP_SYS_PTRACE",
    "descriptors, program, environment, root and namespaces of processes of others",
);
const DAC_READ_SEARCH: Kept = keep(
    CapabilitySet::DAC_READ_SEARCH,
    "CAP_DAC_READ_SEARCH",
    "folders of /proc and of container runtimes that only their owner may open",
);
const NET_BIND_SERVICE: Kept =
    keep(CapabilitySet::NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "the trial of a free port below 1024");
const KILL: Kept = keep(CapabilitySet::KILL, "CAP_KILL", "signals to a command that runs as another user");
const BPF: Kept = keep(CapabilitySet::BPF, "CAP_BPF", "look-ups in maps before 5.19");
const SYS_ADMIN: Kept = keep(CapabilitySet::SYS_ADMIN, "CAP_SYS_ADMIN", "other network namespaces");
const DAC_OVERRIDE: Kept =
    keep(CapabilitySet::DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "the question whether a socket file is in use");

const SETUID: Kept =
    keep(CapabilitySet::SETUID, "CAP_SETUID", "branches, which are read as the user of a process");
const SETGID: Kept =
    keep(CapabilitySet::SETGID, "CAP_SETGID", "branches, which are read as the group of a process");

/// The capabilities that are kept for a purpose, on a kernel of this version, with this value of
/// kernel.unprivileged_bpf_disabled (`None` if the value cannot be read).
#[must_use]
pub fn kept(purpose: Purpose, kernel: Generation, unprivileged_bpf_disabled: Option<u8>) -> Vec<Kept> {
    let mut kept = match purpose {
        Purpose::Trace => vec![SYS_PTRACE, DAC_READ_SEARCH, NET_BIND_SERVICE],
        Purpose::Run { .. } => vec![SYS_PTRACE, DAC_READ_SEARCH, NET_BIND_SERVICE, KILL],
        Purpose::Broker => return vec![SYS_ADMIN, DAC_READ_SEARCH, DAC_OVERRIDE],
        Purpose::WorkTree => return vec![SETUID, SETGID],
    };
    if kernel < OPEN_LOOKUPS && unprivileged_bpf_disabled != Some(0) {
        kept.push(BPF);
    }
    kept
}

/// Gives up all capabilities of this thread except `allowed`, and returns the remaining ones.
///
/// # Errors
/// The errors of capset(2) and prctl(2).
pub(super) fn lower(allowed: CapabilitySet) -> io::Result<CapabilitySet> {
    empty_bounding_set()?;
    clear_ambient_capability_set()?;
    let left = capabilities(None)?.permitted & allowed;
    set_capabilities(
        None,
        CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() },
    )?;
    Ok(left)
}

/// Ensures that no program executed later gets a capability. A process that may not change the bounding set (no
/// CAP_SETPCAP) relies on no_new_privs instead.
///
/// # Errors
/// The errors of prctl(2).
pub fn empty_bounding_set() -> io::Result<()> {
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        match capability_is_in_bounding_set(capability) {
            Ok(true) => match remove_capability_from_bounding_set(capability) {
                Err(Errno::PERM) => return Ok(()),
                other => other?,
            },
            Ok(false) => {}
            // The kernel has no capability of this number, and no further one.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// A thread of this process that has more capabilities than `left`.
pub(super) fn thread_with_more(procfs: &Procfs, left: CapabilitySet) -> Option<u32> {
    let tasks = std::fs::read_dir(procfs.root().join("self/task")).ok()?;
    let mut tids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse::<u32>().ok());
    tids.find(|tid| {
        // A thread that has just ended has no capabilities.
        let status = procfs.read(&format!("self/task/{tid}/status")).unwrap_or_default();
        permitted(&status).is_some_and(|permitted| !left.contains(permitted))
    })
}

/// The `CapPrm` line of a status file (task_cap in fs/proc/array.c).
fn permitted(status: &[u8]) -> Option<CapabilitySet> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"CapPrm:"))?;
    let bits = u64::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 16).ok()?;
    Some(CapabilitySet::from_bits_retain(bits))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_more_is_kept_than_a_purpose_needs() {
        let names = |purpose, version: (u32, u32), disabled| -> Vec<&str> {
            let kernel = Generation::new(version.0, version.1);
            kept(purpose, kernel, disabled).iter().map(|kept| kept.name).collect()
        };
        let looking = ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_NET_BIND_SERVICE"];
        for disabled in [None, Some(0), Some(1), Some(2)] {
            assert_eq!(names(Purpose::Trace, (5, 19), disabled), looking);
            assert_eq!(names(Purpose::Trace, (7, 3), disabled), looking);
            let needs_bpf = disabled != Some(0);
            assert_eq!(names(Purpose::Trace, (5, 18), disabled).contains(&"CAP_BPF"), needs_bpf);
            assert_eq!(names(Purpose::Run { command: 1 }, (5, 10), disabled).contains(&"CAP_BPF"), needs_bpf);
            let broker = ["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"];
            assert_eq!(names(Purpose::Broker, (5, 10), disabled), broker);
        }
        let run = Purpose::Run { command: 1 };
        assert_eq!(names(run, (7, 3), Some(2)), [&looking[..], &["CAP_KILL"]].concat());
    }

    #[test]
    fn a_thread_with_more_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let procfs = Procfs::at(root.path());
        let left = CapabilitySet::SYS_PTRACE;
        assert_eq!(thread_with_more(&procfs, left), None);
        let write = |tid: u32, permitted: u64| {
            let folder = root.path().join(format!("self/task/{tid}"));
            fs::create_dir_all(&folder).unwrap();
            let text = format!("Name:\tCapPrm:\\nx\nCapInh:\t1\nCapPrm:\t{permitted:016x}\nCapEff:\t1ff\n");
            fs::write(folder.join("status"), text).unwrap();
        };
        write(7, left.bits());
        write(8, 0);
        assert_eq!(thread_with_more(&procfs, left), None);
        write(9, (left | CapabilitySet::BPF).bits());
        assert_eq!(thread_with_more(&procfs, left), Some(9));
        fs::write(root.path().join("self/task/9/status"), "CapPrm:\tx\n").unwrap();
        assert_eq!(thread_with_more(&procfs, left), None);
    }
}
