//! The filter of system calls (seccomp(2)): every call that is not listed here fails.
//!
//! A refused call fails with EPERM and does not end the process: a wrapped command must not lose its status, and a
//! library that tries a newer call first must be able to fall back to an older one. Calls of other ABIs (i386) end the
//! process; x32 call numbers are not on the list, and fail.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use libc::c_long;
use rustix::thread::secure_computing_mode;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::purpose::Purpose;

/// Memory and threads of this process, time, and work on open descriptors.
const ALWAYS: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_futex,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_pread64,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
];

/// Older names of some of these calls, which musl still uses.
#[cfg(target_arch = "x86_64")]
const ALWAYS_OLD: &[c_long] =
    &[libc::SYS_access, libc::SYS_lstat, libc::SYS_poll, libc::SYS_readlink, libc::SYS_stat];
#[cfg(not(target_arch = "x86_64"))]
const ALWAYS_OLD: &[c_long] = &[];

/// Waiting: for several events at once, for the end of a child.
const WAITING: &[c_long] = &[
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_wait4,
    libc::SYS_waitid,
];
#[cfg(target_arch = "x86_64")]
const WAITING_OLD: &[c_long] = &[libc::SYS_epoll_wait];
#[cfg(not(target_arch = "x86_64"))]
const WAITING_OLD: &[c_long] = &[];

/// Sockets: questions to the kernel, and the trial of a free port. connect(2) is not included.
const SOCKETS: &[c_long] = &[
    libc::SYS_bind,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
];

/// Entering other namespaces, and the state of socket files.
const BROKER: &[c_long] = &[libc::SYS_connect, libc::SYS_setns, libc::SYS_socketpair];

/// Becoming the user of a process, in a thread.
const WORK_TREE: &[c_long] =
    &[libc::SYS_capset, libc::SYS_setgroups, libc::SYS_setresgid, libc::SYS_setresuid];

/// Commands of bpf(2) that take open descriptors: map lookups, and a walk of the iterator.
const BPF: [u64; 6] = [
    aya_obj::generated::bpf_cmd::BPF_MAP_LOOKUP_ELEM as u64,
    aya_obj::generated::bpf_cmd::BPF_MAP_UPDATE_ELEM as u64,
    aya_obj::generated::bpf_cmd::BPF_MAP_DELETE_ELEM as u64,
    aya_obj::generated::bpf_cmd::BPF_MAP_GET_NEXT_KEY as u64,
    aya_obj::generated::bpf_cmd::BPF_MAP_LOOKUP_BATCH as u64,
    aya_obj::generated::bpf_cmd::BPF_ITER_CREATE as u64,
];

/// Commands of ioctl(2): TCGETS and TIOCGWINSZ, for whether a descriptor is a terminal and how wide
/// (include/uapi/asm-generic/ioctls.h); SIOCGIFNAME, for the name of an interface (include/uapi/linux/sockios.h).
const IOCTL: [u64; 3] = [0x5401, 0x5413, 0x8910];
/// Commands of fcntl(2): duplicates of descriptors, and flags. The commands that choose the receiver of signals
/// (F_SETOWN, F_SETSIG) are not included: with them, the kernel sends any signal to any process.
const FCNTL: [u64; 6] = [
    libc::F_DUPFD as u64,
    libc::F_DUPFD_CLOEXEC as u64,
    libc::F_GETFD as u64,
    libc::F_SETFD as u64,
    libc::F_GETFL as u64,
    libc::F_SETFL as u64,
];
/// The command of prctl(2) that names a thread (PR_SET_NAME, include/uapi/linux/prctl.h).
const SET_NAME: u64 = 15;

/// The bits of the second argument of socket(2) that are its type (SOCK_TYPE_MASK, include/linux/net.h).
const SOCKET_TYPE: i32 = 0xf;

/// Flags of open(2) that permit writing, making or changing a file. O_ACCMODE is not used: in musl it includes O_PATH
/// (include/fcntl.h).
const WRITES: i32 = libc::O_WRONLY
    | libc::O_RDWR
    | libc::O_CREAT
    | libc::O_TRUNC
    | (libc::O_TMPFILE & !libc::O_DIRECTORY)
    | libc::O_APPEND;

/// Calls that libraries try first, with a fallback for kernels that lack them.
const UNKNOWN: &[c_long] = &[libc::SYS_clone3, libc::SYS_openat2, libc::SYS_epoll_pwait2];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Filters the system calls of all threads, for good.
///
/// # Errors
/// The kernel's error, also where the kernel has no such filters.
pub(super) fn apply(purpose: Purpose) -> Result<(), seccompiler::Error> {
    for program in programs(purpose)? {
        apply_filter_all_threads(&program)?;
    }
    Ok(())
}

/// Whether this kernel has filters of system calls (prctl_get_seccomp in kernel/seccomp.c).
#[must_use]
pub fn is_available() -> bool {
    secure_computing_mode().is_ok()
}

/// The filters, in the order of their installation: after the last one, the kernel refuses to install another.
fn programs(purpose: Purpose) -> Result<Vec<BpfProgram>, BackendError> {
    let target = TargetArch::try_from(ARCH)?;
    let refuse = |errno: i32| SeccompAction::Errno(errno.unsigned_abs());
    let mut allowed = rules(purpose)?;
    let is_unknown = |call: &&c_long| !allowed.contains_key(call);
    let unknown: Rules = UNKNOWN.iter().filter(is_unknown).map(|&call| (call, Vec::new())).collect();
    // One filter allows these calls; the other filter still refuses them.
    allowed.extend(unknown.clone());
    let unknown = SeccompFilter::new(unknown, SeccompAction::Allow, refuse(libc::ENOSYS), target)?;
    let unlisted = SeccompFilter::new(allowed, refuse(libc::EPERM), SeccompAction::Allow, target)?;
    Ok(vec![unknown.try_into()?, unlisted.try_into()?])
}

/// The allowed calls: a call without rules is always allowed, a call with rules where one of them matches.
fn rules(purpose: Purpose) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    let mut allow = |calls: &[c_long]| rules.extend(calls.iter().map(|&call| (call, Vec::new())));
    allow(ALWAYS);
    allow(ALWAYS_OLD);
    match purpose {
        Purpose::Broker => allow(BROKER),
        Purpose::WorkTree => allow(WORK_TREE),
        Purpose::Trace | Purpose::Run { .. } => [WAITING, WAITING_OLD, SOCKETS].into_iter().for_each(allow),
    }
    if let Purpose::Run { command } = purpose {
        rules.insert(libc::SYS_kill, one_of(0, &[command.into()])?);
    }
    // Root's own files are included, which root may write to without any capability.
    rules.insert(libc::SYS_openat, vec![all_clear(2, WRITES)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![all_clear(1, WRITES)?]);
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![all_clear(2, libc::PROT_EXEC)?]);
    }
    rules.insert(libc::SYS_ioctl, one_of(1, &IOCTL)?);
    rules.insert(libc::SYS_fcntl, one_of(1, &FCNTL)?);
    rules.insert(libc::SYS_tgkill, one_of(0, &[std::process::id().into()])?);
    // musl's raise(3) needs this call to end the process at a second signal; the first thread gets that signal before
    // any other thread (complete_signal in kernel/signal.c, 6.18).
    rules.insert(libc::SYS_tkill, one_of(0, &[std::process::id().into()])?);
    rules.insert(libc::SYS_prctl, one_of(0, &[SET_NAME])?);
    if purpose == Purpose::WorkTree {
        rules.insert(libc::SYS_clone, vec![all_set(0, libc::CLONE_THREAD | libc::CLONE_VM)?]);
        return Ok(rules);
    }
    let families = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let mut sockets = one_of(0, &families.map(|family| family.unsigned_abs().into()))?;
    // Datagram sockets only: services that execute requests (docker.sock) listen on other types.
    let datagrams = masked_condition(1, SOCKET_TYPE, libc::SOCK_DGRAM)?;
    sockets.push(SeccompRule::new(vec![is(0, libc::AF_UNIX.unsigned_abs().into())?, datagrams])?);
    rules.insert(libc::SYS_socket, sockets);
    if purpose != Purpose::Broker {
        rules.insert(libc::SYS_clone, vec![all_set(0, libc::CLONE_THREAD | libc::CLONE_VM)?]);
        rules.insert(libc::SYS_bpf, one_of(0, &BPF)?);
        // Without an address: only to the peer that the socket is connected to.
        rules.insert(libc::SYS_sendto, vec![nothing(4)?]);
        // Reads the limits of this process, and sets none.
        rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?, null(2)?])?]);
    }
    Ok(rules)
}

/// Matches an argument in which none of these bits is set.
fn all_clear(argument: u8, bits: i32) -> Result<SeccompRule, BackendError> {
    masked(argument, bits, 0)
}

/// Matches an argument in which all of these bits are set.
fn all_set(argument: u8, bits: i32) -> Result<SeccompRule, BackendError> {
    masked(argument, bits, bits)
}

fn masked(argument: u8, bits: i32, value: i32) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![masked_condition(argument, bits, value)?])
}

fn masked_condition(argument: u8, bits: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    let (bits, value) = (u64::from(bits.cast_unsigned()), u64::from(value.cast_unsigned()));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), value)
}

/// Matches an argument that equals one of these values.
fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|&value| SeccompRule::new(vec![is(argument, value)?])).collect()
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

/// Matches a null address.
fn nothing(argument: u8) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![null(argument)?])
}

fn null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
