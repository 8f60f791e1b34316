//! Programs into the kernel, the long ones at once: nearly all of a start is spent in the verifier, and only those who may
//! not load programs of every kind have it one at a time (`bpf_verifier_lock`, `bpf_check` in kernel/bpf/verifier.c).

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread::{self, ScopedJoinHandle};

use aya_obj::generated::{bpf_func_info, bpf_insn};

use super::attach::{AttachError, reason_with_log};
use crate::sys::tracing::{self, Place, Program};

/// Bytes of the verifier's log that are asked for if it refuses: of errors and statistics there are few lines.
const LOG_LEN: usize = 16 * 1024;
/// Instructions of a program for which a thread is worth while: the verifier has them in milliseconds.
const WORTH_A_THREAD: usize = 1000;

/// A program with its maps.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) license: &'a CStr,
    pub(super) instructions: Vec<bpf_insn>,
    /// As [`Program::functions`].
    pub(super) functions: Option<(BorrowedFd<'a>, &'a [bpf_func_info])>,
}

impl Ready<'_> {
    /// Loads it; a refusal is the kernel's error and the line of the verifier's log that says why.
    pub(super) fn load(&self) -> Result<OwnedFd, AttachError> {
        let Self { name, place, license, ref instructions, functions } = *self;
        let program = Program { name, license, place, instructions, functions };
        let mut log = Vec::new();
        let loaded = tracing::load(&program, &mut log).or_else(|_| {
            log.resize(LOG_LEN, 0);
            tracing::load(&program, &mut log)
        });
        loaded.map_err(|error| {
            let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
            let reason =
                reason_with_log(&error, &String::from_utf8_lossy(log.get(..end).unwrap_or_default()));
            AttachError::Load { program: name, reason }
        })
    }
}

/// Programs that are being loaded, by name.
pub(super) struct Loading<'scope, 'a> {
    programs: BTreeMap<&'static str, (&'scope Ready<'a>, Option<Thread<'scope>>)>,
}

type Thread<'scope> = ScopedJoinHandle<'scope, Result<OwnedFd, AttachError>>;

/// Loads these programs, the long ones each in a thread of its own, while `with` asks for one after the other.
pub(super) fn at_once<T>(ready: &[Ready<'_>], with: impl FnOnce(&mut Loading<'_, '_>) -> T) -> T {
    thread::scope(|scope| {
        let programs = ready.iter().map(|ready| {
            let is_long = ready.instructions.len() >= WORTH_A_THREAD;
            let thread = is_long.then(|| thread::Builder::new().spawn_scoped(scope, move || ready.load()));
            (ready.name, (ready, thread.and_then(Result::ok)))
        });
        with(&mut Loading { programs: programs.collect() })
    })
}

impl Loading<'_, '_> {
    /// Waits for a program; `None` if it is none of these, or was taken before.
    pub(super) fn take(&mut self, name: &str) -> Option<Result<OwnedFd, AttachError>> {
        let (ready, thread) = self.programs.remove(name)?;
        // A short one, or one for which there was no thread to be had, is loaded here.
        Some(thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| ready.load()))
    }
}
