//! Signals.

use std::io;

/// Makes this process ignore a signal, also after execve.
///
/// # Errors
/// If there is no such signal.
pub fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_IGN is not a function, so no code can run at a wrong time.
    let old = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if old == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The signals by which a user, a terminal or a session ends a program.
const ENDING: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Unblocks all signals, and restores the default action of the signals that end a program, also after execve.
///
/// # Errors
/// The error of the kernel.
pub fn usual_signals() -> io::Result<()> {
    for signal in ENDING {
        // SAFETY: SIG_DFL is not a function, so no code can run at a wrong time.
        let old = unsafe { libc::signal(signal, libc::SIG_DFL) };
        if old == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(nix::sys::signal::SigSet::all().thread_unblock()?)
}
