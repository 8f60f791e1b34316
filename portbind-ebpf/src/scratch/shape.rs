//! What a refusal in the making is made of.

use portbind_abi::{Holder, MAX_HOLDERS, Refusal};

use crate::sock::common::SOCK_WORDS;

/// Which of the scratches of a CPU a program has. One each, where programs can be interrupted by others on the same CPU:
/// those at the return of functions (`__bpf_prog_enter_recur`, kernel/bpf/trampoline.c). Before Linux 5.12 the same
/// program can run again there, and finds its scratch busy.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// Programs that nothing interrupts, and the bind of IPv4.
    First,
    /// The bind of IPv6.
    Second,
    /// Listen.
    Third,
    /// The implicit bind.
    Fourth,
}

/// How many there are on each CPU.
pub(crate) const PLACES: u32 = 4;

/// A refusal in the making.
#[repr(C)]
pub(crate) struct Scratch {
    pub(crate) refusal: Refusal,
    /// Its holders, as many as it says; what follows is left over from others.
    pub(crate) holders: [Holder; MAX_HOLDERS as usize],
    pub(crate) walk: Walk,
    /// How many runs of a program want it.
    #[cfg(feature = "bounded")]
    pub(super) users: u64,
}

/// What the search for holders needs. In memory, because what is stored there is not followed by the verifier.
#[repr(C)]
pub(crate) struct Walk {
    /// Sockets that were met.
    pub(crate) met: u32,
    /// Steps along the list that is walked now.
    pub(crate) steps: u32,
    /// 1 unless a chain of the listen hash was too long to be walked to its end.
    pub(crate) has_all_listeners: u32,
    reserved: u32,
    /// The sockets that were met.
    pub(crate) found: [u64; MAX_HOLDERS as usize],
    /// Bytes of one socket.
    pub(crate) sock: [u64; SOCK_WORDS],
}
