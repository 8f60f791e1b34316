//! The privileges of this process, and the kernel's restrictions for all processes.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use rustix::thread::capabilities;

use super::procfs::Procfs;

/// A capability, by its number in include/uapi/linux/capability.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Capability {
    DacReadSearch = 2,
    SysPtrace = 19,
    SysAdmin = 21,
    Perfmon = 38,
    Bpf = 39,
}

/// Lockdown mode: how far the kernel restricts root (security/lockdown/lockdown.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// No restriction.
    Off,
    /// No process may change the running kernel.
    Integrity,
    /// In addition, no process may read the kernel's memory; bpf_probe_read_kernel fails.
    Confidentiality,
}

/// The facts that decide whether tracing can work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// Effective capabilities, one bit each.
    pub effective: u64,
    /// Lockdown mode; `None` if securityfs is not mounted or the kernel has no lockdown.
    pub lockdown: Option<Lockdown>,
    /// kernel.unprivileged_bpf_disabled: 0 is open, 1 is closed until reboot, 2 is closed.
    pub unprivileged_bpf_disabled: Option<u8>,
    /// Release of the kernel, as in `uname -r`.
    pub kernel_release: String,
}

impl Privileges {
    /// The privileges of this process on this machine.
    #[must_use]
    pub fn read() -> Self {
        Self::read_at(Path::new("/"))
    }

    /// The capabilities of this thread, and the settings in `/proc` and `/sys` below `root`.
    #[must_use]
    pub fn read_at(root: &Path) -> Self {
        let procfs = Procfs::at(root.join("proc"));
        let lockdown = fs::read_to_string(root.join("sys/kernel/security/lockdown")).ok();
        let disabled = procfs.read("sys/kernel/unprivileged_bpf_disabled");
        Self {
            effective: effective(),
            lockdown: lockdown.as_deref().and_then(Lockdown::parse),
            unprivileged_bpf_disabled: disabled
                .and_then(|bytes| std::str::from_utf8(&bytes).ok()?.trim().parse().ok()),
            kernel_release: rustix::system::uname().release().to_string_lossy().into_owned(),
        }
    }

    /// Names of the capabilities that this process lacks and without which the kernel refuses the programs of every
    /// backend.
    ///
    /// CAP_SYS_ADMIN implies both (bpf_capable and perfmon_capable in include/linux/capability.h), and is not needed in
    /// addition. CAP_BPF is required whatever the value of kernel.unprivileged_bpf_disabled (bpf_prog_load in
    /// kernel/bpf/syscall.c).
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        use Capability::{Bpf, Perfmon, SysAdmin};
        self.without(&[("CAP_BPF", &[Bpf, SysAdmin]), ("CAP_PERFMON", &[Perfmon, SysAdmin])])
    }

    /// Names of the capabilities that this process lacks and without which it describes processes of other users only
    /// in part: it cannot read their programs, descriptors and environments.
    ///
    /// CAP_DAC_OVERRIDE could replace the second one, but portbind gives it up once tracing is armed.
    #[must_use]
    pub fn missing_for_processes(&self) -> Vec<&'static str> {
        use Capability::{DacReadSearch, SysPtrace};
        self.without(&[("CAP_SYS_PTRACE", &[SysPtrace]), ("CAP_DAC_READ_SEARCH", &[DacReadSearch])])
    }

    /// The names of the wanted capabilities that this process lacks, together with all their substitutes.
    fn without(&self, wanted: &[(&'static str, &[Capability])]) -> Vec<&'static str> {
        let lacks = |any: &[Capability]| !any.iter().any(|&capability| self.has(capability));
        wanted.iter().filter(|(_, any)| lacks(any)).map(|(name, _)| *name).collect()
    }

    fn has(&self, capability: Capability) -> bool {
        self.effective & (1 << capability as u32) != 0
    }
}

impl Lockdown {
    /// Parses the mode in brackets of `none [integrity] confidentiality`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let chosen = text.split_ascii_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
        match chosen? {
            "none" => Some(Self::Off),
            "integrity" => Some(Self::Integrity),
            "confidentiality" => Some(Self::Confidentiality),
            _ => None,
        }
    }
}

/// The capabilities of this thread, by capget(2): `/proc` may not be mounted. If capget(2) fails, no capability counts
/// as missing; the kernel still refuses forbidden calls.
fn effective() -> u64 {
    capabilities(None).map_or(u64::MAX, |sets| sets.effective.bits())
}

/// The most descriptors that a run needs, including output files.
const ENOUGH_DESCRIPTORS: u64 = 40;

/// The number of files that this process may have open, if that is too few to trace.
pub(crate) fn few_descriptors() -> Option<u64> {
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    (limit < ENOUGH_DESCRIPTORS).then_some(limit)
}

/// What the user can do if this process may have too few files open.
pub(crate) fn few_descriptors_hint() -> Option<&'static str> {
    few_descriptors().map(|_| "portbind needs about 40 open files: raise the limit with ulimit -n 256")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(effective: u64) -> Privileges {
        let kernel_release = String::new();
        Privileges { effective, lockdown: None, unprivileged_bpf_disabled: None, kernel_release }
    }

    #[test]
    fn names_all_that_is_missing() {
        const BPF: u64 = 1 << 39;
        const PERFMON: u64 = 1 << 38;
        const SYS_ADMIN: u64 = 1 << 21;
        const SYS_PTRACE: u64 = 1 << 19;
        const DAC_READ_SEARCH: u64 = 1 << 2;
        const DAC_OVERRIDE: u64 = 1 << 1;
        let (tracing, processes) = (["CAP_BPF", "CAP_PERFMON"], ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]);
        let cases: [(u64, &[&str], &[&str]); 9] = [
            (0, &tracing, &processes),
            (u64::MAX, &[], &[]),
            (0x1ff_feff_ffff, &[], &[]),
            (SYS_ADMIN, &[], &processes),
            (BPF, &tracing[1..], &processes),
            (PERFMON, &tracing[..1], &processes),
            (BPF | PERFMON, &[], &processes),
            (BPF | PERFMON | SYS_PTRACE | DAC_OVERRIDE, &[], &processes[1..]),
            (SYS_PTRACE | DAC_READ_SEARCH, &tracing, &[]),
        ];
        for (effective, missing, for_processes) in cases {
            assert_eq!(with(effective).missing(), missing, "{effective:x}");
            assert_eq!(with(effective).missing_for_processes(), for_processes, "{effective:x}");
        }
    }

    #[test]
    fn reads_lockdown() {
        let cases = [
            ("[none] integrity confidentiality\n", Some(Lockdown::Off)),
            ("none [integrity] confidentiality\n", Some(Lockdown::Integrity)),
            ("none integrity [confidentiality]", Some(Lockdown::Confidentiality)),
            ("none integrity confidentiality", None),
            ("[other]", None),
            ("", None),
        ];
        for (text, mode) in cases {
            assert_eq!(Lockdown::parse(text), mode, "{text:?}");
        }
    }

    #[test]
    fn capabilities_are_known_without_proc() {
        let empty = tempfile::tempdir().unwrap();
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let shown = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        let shown = u64::from_str_radix(shown.trim(), 16).unwrap();
        assert_eq!(Privileges::read_at(empty.path()).effective, shown);
    }

    #[test]
    fn reads_a_machine() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(Privileges::read_at(root.path()).lockdown, None);
        write("proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
        write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        let shown = Privileges::read_at(root.path());
        assert_eq!(shown.lockdown, Some(Lockdown::Integrity));
        assert_eq!(shown.unprivileged_bpf_disabled, Some(2));
        assert!(!shown.kernel_release.is_empty());
    }

    proptest! {
        #[test]
        fn takes_any_text(text in ".{0,60}") {
            let _ = Lockdown::parse(&text);
        }
    }
}
