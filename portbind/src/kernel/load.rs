//! Programs into the kernel, the long ones at once: nearly all of a start is spent in the verifier, and only those who may
//! not load programs of every kind have it one at a time (`bpf_verifier_lock`, `bpf_check` in kernel/bpf/verifier.c).

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::thread::{self, ScopedJoinHandle};

use super::error::{AttachError, reason_with_log};
use crate::sys::tracing::{self, Program};

/// Bytes of the verifier's log that are asked for if it refuses: of errors and statistics there are few lines.
const LOG_LEN: usize = 16 * 1024;
/// Bytes of the stack of a thread: as by default, whatever RUST_MIN_STACK says.
const STACK: usize = 2 * 1024 * 1024;
/// Instructions of a program for which a thread is worth while: the verifier has them in milliseconds.
const WORTH_A_THREAD: usize = 1000;

/// Loads a program; a refusal is the kernel's error and the line of the verifier's log that says why.
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

/// Programs that are being loaded, by name.
pub(super) struct Loading<'scope, 'a> {
    programs: BTreeMap<&'static str, (&'scope Program<'a>, Option<Thread<'scope>>)>,
}

type Thread<'scope> = ScopedJoinHandle<'scope, Result<OwnedFd, AttachError>>;

/// Loads these programs, the long ones each in a thread of its own, while `with` asks for one after the other.
pub(super) fn at_once<T>(programs: &[Program<'_>], with: impl FnOnce(&mut Loading<'_, '_>) -> T) -> T {
    thread::scope(|scope| {
        let programs = programs.iter().map(|program| {
            let is_long = program.instructions.len() >= WORTH_A_THREAD;
            let builder = thread::Builder::new().stack_size(STACK);
            let thread = is_long.then(|| builder.spawn_scoped(scope, move || load(program)));
            (program.name, (program, thread.and_then(Result::ok)))
        });
        let programs = programs.collect();
        // The threads go first, also where they have the processor of this one: the long programs decide how long it takes.
        thread::yield_now();
        with(&mut Loading { programs })
    })
}

impl Loading<'_, '_> {
    /// Waits for a program; `None` if it is none of these, or was taken before.
    pub(super) fn take(&mut self, name: &str) -> Option<Result<OwnedFd, AttachError>> {
        let (program, thread) = self.programs.remove(name)?;
        // A short one, or one for which there was no thread to be had, is loaded here.
        Some(thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| load(program)))
    }
}
