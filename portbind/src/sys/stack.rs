//! Room on the stack, where its limit leaves little.

use std::hint::black_box;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than the deepest calls take: a release build runs a command with 128 KiB, a debug build with 400 KiB.
const ROOM: usize = 1 << 20;

/// With less than this portbind does not begin: it would end by a signal, without a word.
const LEAST: u64 = 192 << 10;

/// The limit for a stack with that room. Arguments and environment are on it too: they have a quarter of the limit with
/// which this program was started, or 128 KiB (`bprm_stack_limits` in fs/exec.c of 6.18).
const LIMIT: u64 = 2 << 20;

/// The limit of the stack is too low, and may not be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stack may have {} KiB, and portbind needs {}", .limit / 1024, LEAST / 1024)]
pub struct TooSmall {
    /// The limit in bytes.
    pub limit: u64,
}

/// Takes room for the stack of this thread. The limit is the same before and after, for a command to find it as the
/// caller has set it: what the stack has once is not taken from it.
///
/// # Errors
/// If the limit is too low, and this process may not raise it.
pub fn make_room() -> Result<(), TooSmall> {
    // A limit that cannot be read is taken for the usual one.
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

/// Has the kernel make the stack larger: an array that is written to.
#[inline(never)]
fn grow() {
    black_box(&mut [0_u8; ROOM]);
}
