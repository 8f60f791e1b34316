//! The codes of causes. They are stable; each has a page in docs/causes/ and a test scenario.
//!
//! This file is self-contained: `cargo xtask causes` includes it to check that pages and scenarios are complete.

use std::fmt;

/// Declares the codes. A new code needs only a line here in this crate.
macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Why a call was refused, as one word that scripts may rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// All codes: first the causes of taken ports, then the other errors.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in every output, and the name of its page.
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
    /// Another program listens on the port.
    Listener = "listener",
    /// Another instance of the same program listens on the port.
    SameProgram = "same-program",
    /// The failing process holds the port itself.
    OwnSocket = "own-socket",
    /// A process holds an inherited descriptor whose opener has closed it.
    Inherited = "inherited",
    /// The holder is bound, but never listened.
    BoundNotListening = "bound-not-listening",
    /// Both sockets were bound with SO_REUSEADDR, and the other one listened first.
    ListenRace = "listen-race",
    /// A server's connection uses the port.
    Connection = "connection",
    /// A TIME_WAIT socket has the port.
    TimeWait = "time-wait",
    /// An outgoing connection has the port as its ephemeral port.
    Outgoing = "outgoing",
    /// The caller, or a related process, got the port by a bind to port 0 and released it.
    StolenFreePort = "stolen-free-port",
    /// A wildcard address conflicts with a specific one.
    Wildcard = "wildcard",
    /// `::` without IPV6_V6ONLY conflicts with IPv4.
    DualStack = "dual-stack",
    /// One side lacks SO_REUSEPORT, or another user owns the group.
    ReuseportMismatch = "reuseport-mismatch",
    /// Any port was requested, and none was free.
    PortRangeExhausted = "port-range-exhausted",
    /// A kernel socket holds the port.
    KernelSocket = "kernel-socket",
    /// AF_UNIX: a socket is bound to the path.
    LiveSocketFile = "live-socket-file",
    /// AF_UNIX: there is a socket file at the path, and no socket is bound to it.
    StaleSocketFile = "stale-socket-file",
    /// AF_UNIX: another kind of file is at the path.
    PathExists = "path-exists",
    /// AF_UNIX: a socket of the same type has the abstract name.
    AbstractNameTaken = "abstract-name-taken",
    /// The kernel table of this protocol is not searched.
    AddressInUseElsewhere = "address-in-use-elsewhere",
    /// No socket in the way was left.
    Vanished = "vanished",
    /// The network namespace does not have the address, or has it on another interface.
    AddressNotLocal = "address-not-local",
    /// Duplicate address detection is still running, or found the address on another machine.
    AddressTentative = "address-tentative",
    /// The port needs a capability that the caller lacks.
    PrivilegedPort = "privileged-port",
    /// A security module forbids the call.
    ForbiddenBySecurityModule = "forbidden-by-security-module",
    /// Privileged port or security module; which one is unknown.
    AccessDenied = "access-denied",
    /// A BPF program attached to the cgroup forbids the call.
    ForbiddenByProgram = "forbidden-by-program",
    /// The socket has a port, listens or is connected.
    AlreadyBound = "already-bound",
    /// The socket is connected and therefore cannot listen.
    AlreadyConnected = "already-connected",
    /// A link-local address without an interface.
    LinkLocalWithoutInterface = "link-local-without-interface",
    /// An IPv4 address on a socket with IPV6_V6ONLY.
    MappedOnV6only = "mapped-on-v6only",
    /// A multicast address on a stream socket.
    MulticastOnStream = "multicast-on-stream",
    /// The address has too few bytes.
    SockaddrSize = "sockaddr-size",
    /// Already bound, or an address with too few bytes; which one is unknown.
    InvalidArgument = "invalid-argument",
    /// The address belongs to another family than the socket.
    FamilyMismatch = "family-mismatch",
    /// The interface is not in the network namespace.
    NoSuchInterface = "no-such-interface",
    /// Sockets of this protocol do not listen.
    CannotListen = "cannot-listen",
    /// The caller may not read the memory that holds the address.
    BadPointer = "bad-pointer",
    /// The kernel was out of memory.
    NoMemory = "no-memory",
    /// Any other error, without an explanation.
    OtherError = "other-error",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
