//! Ensures room on the stack if the stack limit is low.

use std::hint::black_box;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than the deepest calls need: a release build runs a command with 128 KiB, a debug build with 400 KiB.
const ROOM: usize = 1 << 20;

/// With a lower limit, portbind does not start: it would end by a signal, without a message.
const LEAST: u64 = 192 << 10;

/// The stack limit that leaves that room. Arguments and environment are on the stack, too: they may take a quarter of
/// the limit at the start of this program, or 128 KiB (`bprm_stack_limits` in fs/exec.c of 6.18).
const LIMIT: u64 = 2 << 20;

/// The stack limit is too low and may not be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stack may have {} KiB, and portbind needs {}", .limit / 1024, LEAST / 1024)]
pub struct TooSmall {
    /// The limit in bytes.
    pub limit: u64,
}

/// Grows the stack of this thread. The limit is the same before and after, so that a command finds the limit that
/// portbind was started with: the stack keeps the memory that it once has.
///
/// # Errors
/// If the limit is too low, and this process may not raise it.
pub fn make_room() -> Result<(), TooSmall> {
    // A limit that cannot be read counts as the usual one.
    let Ok((limit, maximum)) = getrlimit(Resource::RLIMIT_STACK) else { return Ok(()) };
    if limit >= ROOM as u64 {
        return Ok(());
    }
    if setrlimit(Resource::RLIMIT_STACK, LIMIT, maximum.max(LIMIT)).is_err() {
        return if limit < LEAST { Err(TooSmall { limit }) } else { Ok(()) };
    }
    grow();
    // Lowering a limit is never refused (do_prlimit in kernel/sys.c of 6.18).
    let _restored = setrlimit(Resource::RLIMIT_STACK, limit, maximum);
    Ok(())
}

/// Makes the kernel grow the stack, by writing to an array.
#[inline(never)]
fn grow() {
    black_box(&mut [0_u8; ROOM]);
}
