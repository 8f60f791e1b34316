//! Loads programs into the kernel, the long ones in parallel. Nearly all of the startup time is spent in the verifier,
//! which serializes only loads by processes that may not load every kind of program (`bpf_verifier_lock`, `bpf_check`
//! in kernel/bpf/verifier.c).

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::thread::{self, ScopedJoinHandle};

use super::error::{AttachError, reason_with_log};
use crate::sys::tracing::{self, Program};

/// Size of the verifier's log if it rejects a program: errors and statistics take few lines.
const LOG_LEN: usize = 16 * 1024;
/// Stack size of a thread: the default, regardless of RUST_MIN_STACK.
const STACK: usize = 2 * 1024 * 1024;
/// Instructions from which a program gets its own thread: the verifier checks shorter ones in milliseconds.
const WORTH_A_THREAD: usize = 1000;

/// Loads a program. The error has the kernel's error and the deciding line of the verifier's log.
pub(super) fn load(program: &Program<'_>) -> Result<OwnedFd, AttachError> {
    let mut log = Vec::new();
    let loaded = tracing::load(program, &mut log).or_else(|_| {
        log.resize(LOG_LEN, 0);
        tracing::load(program, &mut log)
    });
    loaded.map_err(|error| {
        let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        let reason = reason_with_log(&error, &String::from_utf8_lossy(log.get(..end).unwrap_or_default()));
        AttachError::Load { program: program.name, reason }
    })
}

/// Programs being loaded, by name.
pub(super) struct Loading<'scope, 'a> {
    programs: BTreeMap<&'static str, (&'scope Program<'a>, Option<Thread<'scope>>)>,
}

type Thread<'scope> = ScopedJoinHandle<'scope, Result<OwnedFd, AttachError>>;

/// Loads these programs, each long one in its own thread, while `with` takes them one by one.
pub(super) fn at_once<T>(programs: &[Program<'_>], with: impl FnOnce(&mut Loading<'_, '_>) -> T) -> T {
    thread::scope(|scope| {
        let programs = programs.iter().map(|program| {
            let is_long = program.instructions.len() >= WORTH_A_THREAD;
            let builder = thread::Builder::new().stack_size(STACK);
            let thread = is_long.then(|| builder.spawn_scoped(scope, move || load(program)));
            (program.name, (program, thread.and_then(Result::ok)))
        });
        let programs = programs.collect();
        // Lets the threads run first, even on this thread's CPU: the long programs determine the total time.
        thread::yield_now();
        with(&mut Loading { programs })
    })
}

impl Loading<'_, '_> {
    /// Waits for a program; `None` if it is not one of these, or was taken before.
    pub(super) fn take(&mut self, name: &str) -> Option<Result<OwnedFd, AttachError>> {
        let (program, thread) = self.programs.remove(name)?;
        // Short programs, and programs whose thread could not be started, are loaded here.
        Some(thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| load(program)))
    }
}
