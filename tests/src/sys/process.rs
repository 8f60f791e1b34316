//! Processes that run no other program.

use std::fs;
use std::io;
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::Pid;

/// A copy of this process; there, `None`. What is buffered for output is in both.
///
/// # Errors
///
/// If there are other threads, whose locks the copy would find closed for ever, or what the kernel says.
pub fn fork() -> io::Result<Option<Pid>> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("a process of several threads cannot be copied"));
    }
    // SAFETY: this is the only thread, so that no lock is closed and nothing is half done in the copy.
    let pid = unsafe { libc::fork() };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(Pid::from_raw(pid)) }
}

/// Ends a copy with this exit status, without what its original does at its end.
pub fn leave(status: i32) -> ! {
    // SAFETY: the call ends this process and touches no memory.
    unsafe { libc::_exit(status) }
}

/// Moves this process into a user namespace of its own, in which it may do what root may.
///
/// # Errors
///
/// What the kernel says.
pub fn own_user_namespace() -> io::Result<()> {
    // SAFETY: the call touches no memory.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Starts a thread that has copies of all descriptors, which it does not share with this process, until this
/// process ends.
///
/// # Errors
///
/// What the kernel says.
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
