//! The clauses of the rule.

/// Why a socket is or is not in the way of another.
///
/// KERNEL: net/ipv4/inet_connection_sock.c for TCP, net/ipv4/udp.c for UDP; 5.10 to 7.3 unless a version is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clause {
    /// Free: no socket is on the port.
    PortFree,
    /// Free: TCP_REPAIR forces reuse; the kernel checks nothing (`inet_csk_get_port`, `SK_FORCE_REUSE`).
    ForceReuse,
    /// Free: every socket so far was bound with SO_REUSEADDR, so the bucket accepts this one without checking them
    /// (`inet_csk_get_port`, `fastreuse`; up to 6.7).
    RememberedReuseAddress,
    /// Free: the bucket remembers a SO_REUSEPORT group that the new socket fits (`sk_reuseport_match`).
    RememberedGroup,
    /// Free: the sockets are in different VRFs and so in different buckets (`inet_bind_bucket_match`; TCP).
    OtherBucket,
    /// Free: the sockets are bound to different interfaces (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    DifferentDevices,
    /// Free: the sockets have no common address (`inet_rcv_saddr_equal`).
    AddressesApart,
    /// Free by omission: a mapped IPv4 address is not compared with the holders of `0.0.0.0` and `::ffff:0.0.0.0`,
    /// which share one list, if the oldest of them is bound to `::ffff:0.0.0.0` (`inet_bind2_bucket_match_addr_any`;
    /// 6.1 to 6.7, TCP).
    MappedWildcardMissed,
    /// Free: both set SO_REUSEADDR, and the holder does not listen (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    BothReuseAddress,
    /// Free: both set SO_REUSEPORT and have the same user (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    SameGroup,
    /// Free: both set SO_REUSEPORT, and a TIME_WAIT socket has no user (`inet_bind_conflict`).
    TimeWaitOfAnyUser,
    /// Refused: neither option is set on both sides (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    NothingShared,
    /// Refused: both set SO_REUSEADDR, but the holder listens (`inet_bind_conflict`).
    HolderListens,
    /// Refused: both set SO_REUSEPORT, but have different users (`inet_bind_conflict`, `udp_lib_lport_inuse`).
    OtherUser,
    /// Refused: both set SO_REUSEPORT, but the new socket already is in a group (`sk_reuseport_cb`).
    AskerInGroup,
    /// Refused: any port was requested, and this one has a socket (`inet_csk_find_open_port`).
    PortTaken,
    /// Refused: any port was requested, and this one belongs to the socket's own SO_REUSEPORT group
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
