//! The clauses of the rule.

/// Why a socket does or does not stand in the way of another.
///
/// KERNEL: net/ipv4/inet_connection_sock.c for TCP, net/ipv4/udp.c for UDP; all of 5.10 to 7.3
/// unless a version is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clause {
    /// Free: no socket is on the port.
    PortFree,
    /// Free: TCP_REPAIR forces reuse, nothing is checked (`inet_csk_get_port`, `SK_FORCE_REUSE`).
    ForceReuse,
    /// Free: every socket so far was bound with SO_REUSEADDR, so the bucket lets this one in without
    /// a look at them (`inet_csk_get_port`, `fastreuse`; up to 6.7).
    RememberedReuseAddress,
    /// Free: the bucket remembers a SO_REUSEPORT group that this one fits (`sk_reuseport_match`).
    RememberedGroup,
    /// Free: the sockets are in different VRFs and so in different buckets (`inet_bind_bucket_match`; TCP).
    OtherBucket,
    /// Free: both are bound to interfaces, and not to the same (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    DifferentDevices,
    /// Free: no address is common to both (`inet_rcv_saddr_equal`).
    AddressesApart,
    /// Free by omission: a mapped IPv4 address is not compared with the holders of `0.0.0.0` and
    /// `::ffff:0.0.0.0`, which have one list, if the oldest of them is bound to the mapped one
    /// (`inet_bind2_bucket_match_addr_any`; 6.1 to 6.7, TCP).
    MappedWildcardMissed,
    /// Free: both set SO_REUSEADDR, and the holder does not listen (`inet_bind_conflict`,
    /// `udp_lib_lport_inuse`).
    BothReuseAddress,
    /// Free: both set SO_REUSEPORT and belong to one user (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    SameGroup,
    /// Free: both set SO_REUSEPORT, and TIME_WAIT belongs to nobody (`inet_bind_conflict`).
    TimeWaitOfAnyUser,
    /// Refused: neither option is set on both sides (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    NothingShared,
    /// Refused: both set SO_REUSEADDR, but the holder listens (`inet_bind_conflict`).
    HolderListens,
    /// Refused: both set SO_REUSEPORT, but they belong to different users (`inet_bind_conflict`,
    /// `udp_lib_lport_inuse`).
    OtherUser,
    /// Refused: both set SO_REUSEPORT, but the new one is in a group already (`sk_reuseport_cb`).
    AskerInGroup,
    /// Refused: any port is wanted, and this one has a socket (`inet_csk_find_open_port`).
    PortTaken,
    /// Refused: any port is wanted, and this one is of the socket's own SO_REUSEPORT group
    /// (`inet_csk_find_open_port`, second pass).
    PortOfOwnGroup,
}

impl Clause {
    /// The bind or listen fails with EADDRINUSE.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(
            self,
            Self::NothingShared
                | Self::HolderListens
                | Self::OtherUser
                | Self::AskerInGroup
                | Self::PortTaken
                | Self::PortOfOwnGroup
        )
    }
}
