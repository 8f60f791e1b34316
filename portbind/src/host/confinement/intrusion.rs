//! The filter of system calls for the helper that has the rights of the user who called portbind. The helper writes
//! files, and may start a program of that user, so it needs most calls. The calls that it does not need are listed
//! here, and fail with EPERM.

use crate::order::collect_sorted;
use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

/// Calls that reach into other processes, other namespaces and the kernel, or change the whole machine. Docker's
/// default profile refuses them to programs in containers, too.
const INTRUSION: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mknodat,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];
#[cfg(target_arch = "x86_64")]
const INTRUSION_OLD: &[c_long] =
    &[libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_kexec_file_load, libc::SYS_mknod, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const INTRUSION_OLD: &[c_long] = &[];

/// Calls for programs, processes, signals and sockets, refused where no program is started.
const PROGRAMS: &[c_long] = &[
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_clone3,
    libc::SYS_connect,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kill,
    libc::SYS_listen,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_prctl,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_seccomp,
    libc::SYS_setpriority,
    libc::SYS_setrlimit,
    libc::SYS_socket,
];
#[cfg(target_arch = "x86_64")]
const PROGRAMS_OLD: &[c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const PROGRAMS_OLD: &[c_long] = &[];

/// The task of a helper that has the rights of the user who called portbind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Opens, makes and renames files.
    Files,
    /// Starts a program of that user, too.
    Program,
}

/// Filters the system calls of a helper and of the programs that it starts, for good; no program that it starts gains
/// rights. A kernel without filters of system calls is no error.
///
/// # Errors
/// The errors of prctl(2).
pub fn confine_helper(errand: Errand) -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    // On a kernel without filters, the helper runs unfiltered.
    let _unfiltered = filter(errand)
        .map_err(seccompiler::Error::Backend)
        .and_then(|program| apply_filter_all_threads(&program));
    Ok(())
}

fn filter(errand: Errand) -> Result<BpfProgram, BackendError> {
    let mut refused = vec![INTRUSION, INTRUSION_OLD];
    if errand == Errand::Files {
        refused.extend([PROGRAMS, PROGRAMS_OLD]);
    }
    let mut rules: BTreeMap<_, _> =
        collect_sorted(refused.concat().into_iter().map(|call| (call, Vec::new())));
    // Refuses signals to another process, and the limits of one. A started program has a pid of its own, and must be
    // able to signal itself.
    if errand == Errand::Files {
        for call in [libc::SYS_tkill, libc::SYS_tgkill] {
            rules.insert(call, vec![anything_but(std::process::id().into())?]);
        }
        rules.insert(libc::SYS_prlimit64, vec![anything_but(0)?]);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::try_from(ARCH)?)?.try_into()
}

/// Matches a first argument other than `own`.
fn anything_but(own: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?])
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread;

    use rustix::io::Errno;
    use seccompiler::apply_filter;

    use super::*;

    /// Runs a function in a thread whose system calls are filtered; the filter ends with the thread.
    fn filtered<T: Send + 'static>(errand: Errand, work: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            apply_filter(&filter(errand).unwrap()).unwrap();
            work()
        });
        thread.join().unwrap()
    }

    #[test]
    fn files_are_written_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = path.clone();
        filtered(Errand::Files, move || {
            std::fs::write(&file, "x").unwrap();
            std::fs::rename(&file, file.with_extension("new")).unwrap();
            let refused = Command::new("/bin/true").spawn().err().and_then(|error| error.raw_os_error());
            assert_eq!(refused, Some(libc::EPERM));
            let socket = TcpListener::bind("127.0.0.1:0").err().and_then(|error| error.raw_os_error());
            assert_eq!(socket, Some(libc::EPERM));
            let own = rustix::process::getpid();
            assert_eq!(rustix::process::test_kill_process(own), Err(Errno::PERM));
        });
        assert_eq!(std::fs::read_to_string(path.with_extension("new")).unwrap(), "x");
    }

    #[test]
    fn a_program_is_started_and_gets_into_nothing() {
        filtered(Errand::Program, || {
            let status = Command::new("/bin/true").status().unwrap();
            assert!(status.success() && TcpListener::bind("127.0.0.1:0").is_ok());
            // With the filter in place, the call is refused to root, too.
            let status = Command::new("/usr/bin/unshare").args(["--user", "/bin/true"]).status().unwrap();
            assert!(!status.success());
        });
    }
}
