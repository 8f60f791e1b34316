//! The parts of a refusal while it is assembled.

use portbind_abi::{Holder, MAX_HOLDERS, Refusal};

use crate::sock::common::SOCK_WORDS;

/// Which of a CPU's scratch areas a program uses. Programs that can interrupt each other on the same CPU have one each:
/// the programs at the return of functions (`__bpf_prog_enter_recur`, kernel/bpf/trampoline.c). Before Linux 5.12 a
/// program can even interrupt itself, and then finds its scratch area in use.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// Programs that are never interrupted, and the bind of IPv4.
    First,
    /// The bind of IPv6.
    Second,
    /// Listen.
    Third,
    /// The implicit bind (autobind).
    Fourth,
}

/// Number of scratch areas per CPU.
pub(crate) const PLACES: u32 = 4;

/// A refusal while it is assembled.
#[repr(C)]
pub(crate) struct Scratch {
    pub(crate) refusal: Refusal,
    /// The holders, [`Refusal::holders`] of them; further entries are stale.
    pub(crate) holders: [Holder; MAX_HOLDERS as usize],
    pub(crate) walk: Walk,
    /// Number of runs of the program that use this scratch area.
    #[cfg(feature = "bounded")]
    pub(super) users: u64,
}

/// The state of the search for holders. It is kept in memory, because the verifier does not track values stored there.
#[repr(C)]
pub(crate) struct Walk {
    /// Number of sockets found.
    pub(crate) met: u32,
    /// Steps along the current list.
    pub(crate) steps: u32,
    /// 1 unless a chain of the listen hash was too long to be walked to its end.
    pub(crate) has_all_listeners: u32,
    reserved: u32,
    /// The sockets found.
    pub(crate) found: [u64; MAX_HOLDERS as usize],
    /// Bytes of one socket.
    pub(crate) sock: [u64; SOCK_WORDS],
}
