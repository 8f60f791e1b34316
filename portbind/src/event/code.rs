//! The codes of causes: stable, and of each a page in docs/causes/ and a scenario that makes it happen.
//!
//! This file stands alone: `cargo xtask causes` includes it, to hold pages and scenarios against it.

use std::fmt;

/// Declares the codes. A line here is all that a new one takes in this crate.
macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Why a call was refused, in one word that scripts may rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// All of them: first those of taken ports, then those of other errors.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word for it in every output, and the name of its page.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

codes! {
    /// Another program listens there.
    Listener = "listener",
    /// Another instance of the same program does.
    SameProgram = "same-program",
    /// The failing process holds it itself.
    OwnSocket = "own-socket",
    /// A process holds a copy of a descriptor whose opener let go of it.
    Inherited = "inherited",
    /// Bound, never listened.
    BoundNotListening = "bound-not-listening",
    /// Both were bound with SO_REUSEADDR, the other one listened first.
    ListenRace = "listen-race",
    /// A connection of a server sits on the port.
    Connection = "connection",
    /// A TIME_WAIT socket does.
    TimeWait = "time-wait",
    /// A connection got it as its ephemeral port.
    Outgoing = "outgoing",
    /// The caller, or one of its kin, had been given the port by bind to port 0, and let go of it.
    StolenFreePort = "stolen-free-port",
    /// A wildcard address against a specific one.
    Wildcard = "wildcard",
    /// `::` without IPV6_V6ONLY against IPv4.
    DualStack = "dual-stack",
    /// One side lacks SO_REUSEPORT, or another user owns the group.
    ReuseportMismatch = "reuseport-mismatch",
    /// Any port was asked for, and none was left.
    PortRangeExhausted = "port-range-exhausted",
    /// The kernel itself holds it.
    KernelSocket = "kernel-socket",
    /// AF_UNIX: a socket that is bound to the path has it.
    LiveSocketFile = "live-socket-file",
    /// AF_UNIX: a socket file was left at the path, and no socket is bound to it.
    StaleSocketFile = "stale-socket-file",
    /// AF_UNIX: something else is at the path.
    PathExists = "path-exists",
    /// AF_UNIX: a socket of the same type has the abstract name.
    AbstractNameTaken = "abstract-name-taken",
    /// A table that is not searched.
    AddressInUseElsewhere = "address-in-use-elsewhere",
    /// No socket in the way was left.
    Vanished = "vanished",
    /// The network namespace does not have the address, or has it on another interface.
    AddressNotLocal = "address-not-local",
    /// Duplicate address detection has not ended, or found the address elsewhere.
    AddressTentative = "address-tentative",
    /// The port takes a capability that the caller lacks.
    PrivilegedPort = "privileged-port",
    /// A security module forbids the call.
    ForbiddenBySecurityModule = "forbidden-by-security-module",
    /// A privileged port or a security module: it could not be read which.
    AccessDenied = "access-denied",
    /// A program attached to the cgroup forbids the call.
    ForbiddenByProgram = "forbidden-by-program",
    /// The socket has a port, listens or is connected.
    AlreadyBound = "already-bound",
    /// The socket has a connection, and cannot listen as well.
    AlreadyConnected = "already-connected",
    /// A link-local address without an interface.
    LinkLocalWithoutInterface = "link-local-without-interface",
    /// An address of IPv4 on a socket with IPV6_V6ONLY.
    MappedOnV6only = "mapped-on-v6only",
    /// A multicast address on a stream socket.
    MulticastOnStream = "multicast-on-stream",
    /// The address was given in too few bytes.
    SockaddrSize = "sockaddr-size",
    /// Bound already, or an address in too few bytes: it is not known which.
    InvalidArgument = "invalid-argument",
    /// The address is of another family than the socket.
    FamilyMismatch = "family-mismatch",
    /// The interface is not in the network namespace.
    NoSuchInterface = "no-such-interface",
    /// Sockets of this protocol do not listen.
    CannotListen = "cannot-listen",
    /// The address lies where the caller may not read.
    BadPointer = "bad-pointer",
    /// The kernel was out of memory.
    NoMemory = "no-memory",
    /// An error that is not explained.
    OtherError = "other-error",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
