//! Dispositions of signals that a command would not inherit from the caller of portbind, and the exec that restores them;
//! which thread gets signals.

#![expect(unsafe_code, reason = "dispositions of signals, read before the runtime changes them")]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals whose disposition changes between the start of portbind and that of a command.
///
/// Rust's runtime ignores SIGPIPE before `main`, and `Command` gives it its default disposition (library/std of 1.95).
/// Where SIGCHLD is ignored, the kernel keeps no status of children (`do_notify_parent` in kernel/signal.c of 6.18),
/// so portbind does not ignore it. 32 and 33, which glibc keeps for itself, are ignored after its `posix_spawn`
/// (sysdeps/unix/sysv/linux/spawni.c of 2.36). The program portbind ignores SIGXFSZ ([`fail_writes_beyond_limit`]).
const CHANGED: [i32; 5] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGXFSZ, 32, 33];

/// Which of [`CHANGED`] the caller ignored.
static IGNORED: [AtomicBool; CHANGED.len()] = [const { AtomicBool::new(false) }; CHANGED.len()];

/// Functions of this section are called by the C library before `main`, and so before Rust's runtime starts. This one
/// changes nothing: it runs in every program that portbind is linked into.
#[used]
#[unsafe(link_section = ".init_array")]
// SAFETY: the section holds pointers to functions of the C calling convention. This one neither allocates, nor
// unwinds, nor uses anything of Rust's runtime.
static AT_START: extern "C" fn() = at_start;

extern "C" fn at_start() {
    for (signal, ignored) in CHANGED.into_iter().zip(&IGNORED) {
        let is_ignored = disposition(signal).is_ok_and(|handler| handler == libc::SIG_IGN);
        ignored.store(is_ignored, Ordering::Relaxed);
    }
}

/// Ignores SIGXFSZ, for the program portbind alone: a write beyond the limit of file sizes is an error, which can be
/// reported, and is no reason to end before a command is run.
pub fn fail_writes_beyond_limit() {
    // It fails for no signal that can be ignored (do_sigaction in kernel/signal.c, 6.18).
    let _ignored = set(libc::SIGXFSZ, libc::SIG_IGN);
}

/// Leaves signals to the first thread, for a thread that begins: a second SIGINT ends portbind by a signal that a thread
/// sends to itself, and the filter of system calls lets the first thread alone do that.
pub fn leave_to_the_first_thread() {
    // It fails for no set of signals (sigprocmask in kernel/signal.c, 6.18).
    let _blocked = nix::sys::signal::SigSet::all().thread_block();
}

/// Of the signals whose disposition portbind changes, those that its caller ignored.
#[must_use]
pub fn ignored_by_caller() -> Vec<i32> {
    let signals = CHANGED.into_iter().zip(&IGNORED);
    signals.filter(|(_, ignored)| ignored.load(Ordering::Relaxed)).map(|(signal, _)| signal).collect()
}

/// Stops ignoring SIGCHLD, so that children can be waited for.
///
/// # Errors
/// What the kernel says.
pub fn await_children() -> io::Result<()> {
    if disposition(libc::SIGCHLD)? == libc::SIG_IGN { set(libc::SIGCHLD, libc::SIG_DFL) } else { Ok(()) }
}

/// Turns this process into a command that finds these signals ignored, and others whose disposition portbind changes as
/// by default. Returns only if that fails.
pub fn exec_ignoring(command: &mut Command, ignored: Vec<i32>) -> io::Error {
    let restore = move || {
        let handler = |signal| if ignored.contains(signal) { libc::SIG_IGN } else { libc::SIG_DFL };
        CHANGED.iter().try_for_each(|signal| set(*signal, handler(signal)))
    };
    // SAFETY: there is no fork before this exec. The closure runs after std has changed SIGPIPE, and calls nothing
    // but rt_sigaction(2).
    unsafe { command.pre_exec(restore) };
    command.exec()
}

/// `struct sigaction` of the kernel (include/linux/signal_types.h of 6.18): the C libraries keep 32 and 33 from
/// their own sigaction(3).
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
    // SAFETY: nothing is set; the old action is written to a live, exclusively borrowed structure of its size.
    unsafe { rt_sigaction(signal, ptr::null(), &raw mut action) }?;
    Ok(action.handler)
}

/// Ignores a signal, or gives it its default disposition.
fn set(signal: i32, handler: libc::sighandler_t) -> io::Result<()> {
    let action = Action { handler, ..Action::default() };
    // SAFETY: the action is alive, and neither SIG_IGN nor SIG_DFL calls a handler.
    unsafe { rt_sigaction(signal, &raw const action, ptr::null_mut()) }
}

/// # Safety
/// `new` is null or an action without a handler of this process, `old` is null or may be written to.
unsafe fn rt_sigaction(signal: i32, new: *const Action, old: *mut Action) -> io::Result<()> {
    // SAFETY: the pointers are as the caller promises, and the set of signals has 8 bytes.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size_of::<u64>()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
