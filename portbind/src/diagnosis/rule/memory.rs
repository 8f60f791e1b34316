//! What a bind bucket remembers of the accepted sockets, and which sockets it accepts because of it.

use super::address;
use super::clause::Clause;
use super::generation::Generation;
use super::sockets::{Asked, Endpoint, Group};

/// The memory of a TCP bind bucket. It is not part of a refusal's evidence: a bucket whose memory fits would not have
/// refused. The default is an empty memory.
///
/// KERNEL: `fastreuse`, `fastreuseport` and the related fields of `struct inet_bind_bucket`
/// (include/net/inet_hashtables.h, 5.10 to 7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All sockets so far had SO_REUSEADDR and did not listen when they were bound.
    reuse_address: bool,
    /// The last accepted SO_REUSEPORT group.
    group: Option<Remembered>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remembered {
    endpoint: Endpoint,
    /// No socket outside the group has been in the bucket (`FASTREUSEPORT_ANY`).
    is_alone: bool,
}

impl Memory {
    /// The clause by which the bucket accepts `asked` without checking its sockets, if it does.
    #[must_use]
    pub fn admits(&self, asked: &Asked) -> Option<Clause> {
        if asked.force_reuse {
            Some(Clause::ForceReuse)
        } else if self.reuse_address && asked.endpoint.reuse_address && !asked.listening {
            Some(Clause::RememberedReuseAddress)
        } else {
            self.fits_group(asked).then_some(Clause::RememberedGroup)
        }
    }

    /// The memory after `asked` was accepted; `first` if it is the only socket in the bucket.
    ///
    /// KERNEL: `inet_csk_update_fastreuse` (net/ipv4/inet_connection_sock.c, 5.10 to 7.3).
    #[must_use]
    pub fn after(self, generation: Generation, asked: &Asked, first: bool) -> Self {
        let shapes = first && generation.remembers_first();
        let reuse_address = asked.endpoint.reuse_address && !asked.listening;
        let group = if !asked.endpoint.reuse_port {
            None
        } else if !shapes && self.fits_group(asked) {
            self.group
        } else {
            Some(Remembered { endpoint: asked.endpoint, is_alone: shapes })
        };
        Self { reuse_address: reuse_address && (shapes || self.reuse_address), group }
    }

    /// KERNEL: `sk_reuseport_match` (net/ipv4/inet_connection_sock.c, 5.10 to 7.3).
    fn fits_group(&self, asked: &Asked) -> bool {
        self.group.is_some_and(|group| {
            asked.endpoint.reuse_port
                && asked.group == Group::None
                && asked.endpoint.uid == group.endpoint.uid
                && (group.is_alone || address::covers(&group.endpoint, &asked.endpoint))
        })
    }
}
