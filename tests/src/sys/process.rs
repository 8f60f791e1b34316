//! Processes that execute no other program.

use std::fs;
use std::io;
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::Pid;

/// Forks this process; returns `None` in the child. Buffered output is in both processes.
///
/// # Errors
///
/// If there are other threads, whose locks would stay locked in the child for ever; or the error of the kernel.
pub fn fork() -> io::Result<Option<Pid>> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("a process of several threads cannot be copied"));
    }
    // SAFETY: this is the only thread, so the child has no locked lock and no incomplete operation.
    let pid = unsafe { libc::fork() };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(Pid::from_raw(pid)) }
}

/// Ends a forked child with this exit status, without its parent's exit handlers.
pub fn leave(status: i32) -> ! {
    // SAFETY: the call ends this process and touches no memory.
    unsafe { libc::_exit(status) }
}

/// Moves this process into a new user namespace, where it has all of root's rights.
///
/// # Errors
///
/// The error of the kernel.
pub fn own_user_namespace() -> io::Result<()> {
    // SAFETY: the call touches no memory.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Moves the calling thread into a new mount namespace.
///
/// # Errors
///
/// The error of the kernel.
pub fn own_mounts() -> io::Result<()> {
    // SAFETY: the call touches no memory; it also gives this thread a current folder of its own (CLONE_FS).
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Starts a thread with a separate copy of the descriptor table; it runs until this process ends.
///
/// # Errors
///
/// The error of the kernel.
pub fn keep_apart() -> io::Result<()> {
    let (say, said) = channel();
    thread::Builder::new().spawn(move || {
        // SAFETY: the call touches no memory, and this thread uses no descriptor afterwards.
        let result = unsafe { libc::unshare(libc::CLONE_FILES) };
        let is_apart = if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        if say.send(is_apart).is_ok() {
            loop {
                thread::park();
            }
        }
    })?;
    said.recv().map_err(io::Error::other)?
}
