//! Whether two sockets receive for a common address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::generation::Generation;
use super::sockets::{Endpoint, Transport};

/// The value of `skc_rcv_saddr` in a socket with a specific IPv6 address (`LOOPBACK4_IPV6`, include/net/ipv6.h, 5.10 to
/// 7.3).
const IN_PLACE_OF_V6: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

/// How the addresses of two sockets relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// They have a common address.
    Overlap,
    /// They have no common address.
    Apart,
    /// They have a common address, and the kernel does not find it.
    Missed,
}

/// Compares the addresses of a requesting and a holding socket in the list that `founder` created.
pub(super) fn meet(
    generation: Generation,
    transport: Transport,
    asked: &Endpoint,
    held: &Endpoint,
    founder: &Endpoint,
) -> Meeting {
    let (new, old) = (Receives::new(asked), Receives::new(held));
    if !equal(&new, &old, true) {
        return Meeting::Apart;
    }
    if transport == Transport::Udp || !generation.compares_addresses() || new.is_wildcard() {
        return Meeting::Overlap;
    }
    let mapped_list = old.is_v4() && old.is_wildcard() && Receives::new(founder).is_mapped();
    if generation.misses_mapped_wildcard() && new.is_mapped() && mapped_list {
        return Meeting::Missed;
    }
    if old.is_wildcard() || new.is_same(&old) { Meeting::Overlap } else { Meeting::Apart }
}

/// The socket is bound to 0.0.0.0 or ::ffff:0.0.0.0: a TCP bind bucket has one list for both.
pub(super) fn is_v4_wildcard(endpoint: &Endpoint) -> bool {
    let receives = Receives::new(endpoint);
    receives.is_v4() && receives.is_wildcard()
}

/// Whether `wide` receives for every address of `narrow`; only `wide` may be a wildcard.
pub(super) fn covers(wide: &Endpoint, narrow: &Endpoint) -> bool {
    equal(&Receives::new(wide), &Receives::new(narrow), false)
}

/// KERNEL: `inet_rcv_saddr_equal`, `ipv6_rcv_saddr_equal` and `ipv4_rcv_saddr_equal` (net/ipv4/inet_connection_sock.c,
/// 5.10 to 7.3). The wildcard address of `new` matches every address of its family; the wildcard address of `old` does
/// so if `both_match`.
fn equal(new: &Receives, old: &Receives, both_match: bool) -> bool {
    let old_covers_v4 = both_match && old.v4.is_unspecified();
    let v4_equal = !old.v6_only && (new.v4 == old.v4 || new.v4.is_unspecified() || old_covers_v4);
    let Some(v6) = new.v6 else { return v4_equal };
    if new.is_v4() && old.is_v4() {
        return v4_equal;
    }
    let old_wildcard = old.v6.is_some_and(|old| old.is_unspecified());
    let old_covers = both_match && old_wildcard && !(old.v6_only && new.is_v4());
    let new_covers = v6.is_unspecified() && !(new.v6_only && old.is_v4());
    v6.is_unspecified() && old_wildcard || old_covers || new_covers || old.v6 == Some(v6)
}

/// The addresses that a socket receives for, as in the fields of `struct sock_common`.
#[derive(Clone, Copy, Debug)]
struct Receives {
    /// `skc_v6_rcv_saddr` of an IPv6 socket.
    v6: Option<Ipv6Addr>,
    /// `skc_rcv_saddr`.
    v4: Ipv4Addr,
    v6_only: bool,
}

impl Receives {
    fn new(endpoint: &Endpoint) -> Self {
        let v6_only = endpoint.v6_only;
        match endpoint.address {
            IpAddr::V4(v4) => Self { v6: None, v4, v6_only },
            IpAddr::V6(v6) if v6.is_unspecified() => {
                Self { v6: Some(v6), v4: Ipv4Addr::UNSPECIFIED, v6_only }
            }
            IpAddr::V6(v6) => {
                Self { v6: Some(v6), v4: v6.to_ipv4_mapped().unwrap_or(IN_PLACE_OF_V6), v6_only }
            }
        }
    }

    fn is_mapped(&self) -> bool {
        self.v6.is_some_and(|v6| v6.to_ipv4_mapped().is_some())
    }

    /// IPv4, mapped or not.
    fn is_v4(&self) -> bool {
        self.v6.is_none() || self.is_mapped()
    }

    fn is_wildcard(&self) -> bool {
        self.v4.is_unspecified()
    }

    fn is_same(&self, other: &Self) -> bool {
        if self.is_v4() { other.is_v4() && self.v4 == other.v4 } else { self.v6 == other.v6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(address: &str, v6_only: bool) -> Endpoint {
        Endpoint {
            address: address.parse().unwrap(),
            v6_only,
            device: 0,
            master: 0,
            reuse_address: false,
            reuse_port: false,
            uid: 0,
        }
    }

    const HELD: [(&str, bool); 8] = [
        ("0.0.0.0", false),
        ("127.0.0.1", false),
        ("::", false),
        ("::", true),
        ("::1", true),
        // A connection of a dual-stack socket.
        ("::1", false),
        ("::ffff:0.0.0.0", false),
        ("::ffff:127.0.0.1", false),
    ];

    fn check(generation: Generation, asked: (&str, bool), expected: &str) {
        for transport in [Transport::Tcp, Transport::Udp] {
            let got: String = HELD
                .iter()
                .map(|held| {
                    let (asked, held) = (endpoint(asked.0, asked.1), endpoint(held.0, held.1));
                    match meet(generation, transport, &asked, &held, &held) {
                        Meeting::Overlap => 'Y',
                        Meeting::Apart => 'n',
                        Meeting::Missed => '*',
                    }
                })
                .collect();
            let expected =
                if transport == Transport::Udp { expected.replace('*', "Y") } else { expected.into() };
            assert_eq!(got, expected, "{generation:?} {transport:?} {asked:?}");
        }
    }

    /// Rows request, columns hold: verified on every kernel of docs/kernels.md.
    #[test]
    fn table() {
        for generation in [(5, 10), (6, 1), (6, 12), (6, 18), (7, 3)] {
            let generation = Generation::new(generation.0, generation.1);
            check(generation, ("0.0.0.0", false), "YYYnnYYY");
            check(generation, ("127.0.0.1", false), "YYYnnnYY");
            check(generation, ("127.0.0.2", false), "YnYnnnYn");
            check(generation, ("::", false), "YYYYYYYY");
            check(generation, ("::", true), "nnYYYYnn");
            check(generation, ("::1", true), "nnYYYYnn");
            check(generation, ("::2", true), "nnYYnnnn");
            check(generation, ("::ffff:0.0.0.0", false), "YYYnnnYY");
        }
    }

    #[test]
    fn mapped_wildcard() {
        check(Generation::new(5, 10), ("::ffff:127.0.0.1", false), "YYYnnnYY");
        check(Generation::new(6, 1), ("::ffff:127.0.0.1", false), "YYYnnn*Y");
        check(Generation::new(6, 12), ("::ffff:127.0.0.1", false), "YYYnnnYY");
    }

    #[test]
    fn place_holder() {
        let asked = endpoint("127.0.0.6", false);
        let held = endpoint("::1", false);
        let meet = |version: (u32, u32), transport| {
            meet(Generation::new(version.0, version.1), transport, &asked, &held, &held)
        };
        assert_eq!(meet((5, 10), Transport::Tcp), Meeting::Overlap);
        assert_eq!(meet((6, 1), Transport::Tcp), Meeting::Apart);
        assert_eq!(meet((7, 3), Transport::Udp), Meeting::Overlap);
    }
}
