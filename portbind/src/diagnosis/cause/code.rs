//! The codes of causes: stable, one page in docs/causes/ and at least one scenario each.

/// Why a call was refused, in one word that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Another program listens there.
    Listener,
    /// Another instance of the same program does.
    SameProgram,
    /// The failing process holds it itself.
    OwnSocket,
    /// A process holds a copy of a descriptor whose opener let go of it.
    Inherited,
    /// Bound, never listened.
    BoundNotListening,
    /// Both were bound with SO_REUSEADDR, the other one listened first.
    ListenRace,
    /// A connection of a server sits on the port.
    Connection,
    /// A TIME_WAIT socket does.
    TimeWait,
    /// A connection got it as its ephemeral port.
    Outgoing,
    /// The caller, or one of its kin, had been given the port by bind to port 0, and let go of it.
    StolenFreePort,
    /// A wildcard address against a specific one.
    Wildcard,
    /// `::` without IPV6_V6ONLY against IPv4.
    DualStack,
    /// One side lacks SO_REUSEPORT, or another user owns the group.
    ReuseportMismatch,
    /// Any port was asked for, and none was left.
    PortRangeExhausted,
    /// The kernel itself holds it.
    KernelSocket,
    /// A table that is not searched.
    AddressInUseElsewhere,
    /// No socket in the way was left.
    Vanished,
}

impl Code {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Listener,
        Self::SameProgram,
        Self::OwnSocket,
        Self::Inherited,
        Self::BoundNotListening,
        Self::ListenRace,
        Self::Connection,
        Self::TimeWait,
        Self::Outgoing,
        Self::StolenFreePort,
        Self::Wildcard,
        Self::DualStack,
        Self::ReuseportMismatch,
        Self::PortRangeExhausted,
        Self::KernelSocket,
        Self::AddressInUseElsewhere,
        Self::Vanished,
    ];

    /// The word for it in every output, and the name of its page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::SameProgram => "same-program",
            Self::OwnSocket => "own-socket",
            Self::Inherited => "inherited",
            Self::BoundNotListening => "bound-not-listening",
            Self::ListenRace => "listen-race",
            Self::Connection => "connection",
            Self::TimeWait => "time-wait",
            Self::Outgoing => "outgoing",
            Self::StolenFreePort => "stolen-free-port",
            Self::Wildcard => "wildcard",
            Self::DualStack => "dual-stack",
            Self::ReuseportMismatch => "reuseport-mismatch",
            Self::PortRangeExhausted => "port-range-exhausted",
            Self::KernelSocket => "kernel-socket",
            Self::AddressInUseElsewhere => "address-in-use-elsewhere",
            Self::Vanished => "vanished",
        }
    }
}
