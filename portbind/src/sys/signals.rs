//! Signal dispositions that a command would not inherit from the caller of portbind, and the exec that restores them;
//! the choice of the thread that gets signals.

#![expect(unsafe_code, reason = "signal dispositions must be read before the runtime changes them")]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals whose disposition changes between the start of portbind and the start of a command.
///
/// Rust's runtime ignores SIGPIPE before `main`, and `Command` restores its default disposition (library/std of 1.95).
/// If SIGCHLD is ignored, the kernel keeps no exit status of children (`do_notify_parent` in kernel/signal.c of 6.18),
/// so portbind stops ignoring it. 32 and 33, which glibc reserves for itself, are ignored after its `posix_spawn`
/// (sysdeps/unix/sysv/linux/spawni.c of 2.36). The program portbind ignores SIGXFSZ ([`fail_writes_beyond_limit`]).
const CHANGED: [i32; 5] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGXFSZ, 32, 33];

/// Which signals in [`CHANGED`] the caller of portbind ignored.
static IGNORED: [AtomicBool; CHANGED.len()] = [const { AtomicBool::new(false) }; CHANGED.len()];

/// The C library calls the functions in this section before `main`, and so before Rust's runtime starts. This function
/// changes nothing: it runs in every program that portbind is linked into.
#[used]
#[unsafe(link_section = ".init_array")]
// SAFETY: the section holds pointers to functions with the C calling convention. This function neither allocates, nor
// unwinds, nor uses Rust's runtime.
static AT_START: extern "C" fn() = at_start;

extern "C" fn at_start() {
    for (signal, ignored) in CHANGED.into_iter().zip(&IGNORED) {
        let is_ignored = disposition(signal).is_ok_and(|handler| handler == libc::SIG_IGN);
        ignored.store(is_ignored, Ordering::Relaxed);
    }
}

/// Ignores SIGXFSZ, in the program portbind only: a write beyond the file size limit then returns an error, which can
/// be reported, and does not end portbind before the command runs.
pub fn fail_writes_beyond_limit() {
    // The call fails only for signals that cannot be ignored (do_sigaction in kernel/signal.c, 6.18).
    let _ignored = set(libc::SIGXFSZ, libc::SIG_IGN);
}

/// Blocks all signals in a new thread, so that the first thread handles them: a second SIGINT ends portbind by a signal
/// that a thread sends to itself, and the filter of system calls permits that to the first thread only.
pub fn leave_to_the_first_thread() {
    // The call fails for no set of signals (sigprocmask in kernel/signal.c, 6.18).
    let _blocked = nix::sys::signal::SigSet::all().thread_block();
}

/// Of the signals whose disposition portbind changes, the ones that the caller of portbind ignored.
#[must_use]
pub fn ignored_by_caller() -> Vec<i32> {
    let signals = CHANGED.into_iter().zip(&IGNORED);
    signals.filter(|(_, ignored)| ignored.load(Ordering::Relaxed)).map(|(signal, _)| signal).collect()
}

/// Stops ignoring SIGCHLD, so that children can be waited for.
///
/// # Errors
/// The kernel's error.
pub fn await_children() -> io::Result<()> {
    if disposition(libc::SIGCHLD)? == libc::SIG_IGN { set(libc::SIGCHLD, libc::SIG_DFL) } else { Ok(()) }
}

/// Replaces this process with a command that ignores the signals in `ignored` and has default dispositions for the
/// other signals whose disposition portbind changes. Returns only on failure.
pub fn exec_ignoring(command: &mut Command, ignored: Vec<i32>) -> io::Error {
    let restore = move || {
        let handler = |signal| if ignored.contains(signal) { libc::SIG_IGN } else { libc::SIG_DFL };
        CHANGED.iter().try_for_each(|signal| set(*signal, handler(signal)))
    };
    // SAFETY: no fork precedes this exec. The closure runs after std has changed SIGPIPE, and calls rt_sigaction(2)
    // only.
    unsafe { command.pre_exec(restore) };
    command.exec()
}

/// The kernel's `struct sigaction` (include/linux/signal_types.h of 6.18): the sigaction(3) of the C libraries refuses
/// 32 and 33.
#[repr(C)]
#[derive(Default)]
struct Action {
    handler: libc::sighandler_t,
    flags: libc::c_ulong,
    restorer: usize,
    mask: u64,
}

fn disposition(signal: i32) -> io::Result<libc::sighandler_t> {
    let mut action = Action::default();
    // SAFETY: no action is set; the old action is written to a live, exclusively borrowed structure of its size.
    unsafe { rt_sigaction(signal, ptr::null(), &raw mut action) }?;
    Ok(action.handler)
}

/// Ignores a signal, or restores its default disposition.
fn set(signal: i32, handler: libc::sighandler_t) -> io::Result<()> {
    let action = Action { handler, ..Action::default() };
    // SAFETY: the action is alive, and neither SIG_IGN nor SIG_DFL calls a handler.
    unsafe { rt_sigaction(signal, &raw const action, ptr::null_mut()) }
}

/// # Safety
/// `new` is null or an action without a handler in this process, `old` is null or writable.
unsafe fn rt_sigaction(signal: i32, new: *const Action, old: *mut Action) -> io::Result<()> {
    // SAFETY: the caller guarantees the pointers, and a signal set has 8 bytes.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size_of::<u64>()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
