//! The kernel's bind rule: whether a socket on the port stands in the way of another.
//!
//! KERNEL: `inet_csk_bind_conflict` and `inet_bind_conflict` (net/ipv4/inet_connection_sock.c),
//! `inet_rcv_saddr_equal` (same file), `udp_lib_lport_inuse` (net/ipv4/udp.c); 5.10 to 7.3.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::event::{Holder, Protocol, Socket, State};

/// Whether the kernel lets `asked` lose its port to `holder`.
#[must_use]
pub fn conflicts(asked: &Socket, holder: &Holder) -> bool {
    if !same_device(asked, holder) || !overlap(&Range::of_asked(asked), &Range::of_holder(holder)) {
        return false;
    }
    let both_reuse_address = asked.options.reuse_address && holder.options.reuse_address;
    let both_reuse_port = asked.options.reuse_port && holder.options.reuse_port;
    let is_udp = matches!(asked.protocol, Protocol::Udp | Protocol::Udplite);
    let address_is_shared = both_reuse_address && (is_udp || holder.state != State::Listen);
    let port_is_shared = both_reuse_port && same_owner(asked, holder);
    !(address_is_shared || port_is_shared)
}

/// Sockets bound to different interfaces never meet.
fn same_device(asked: &Socket, holder: &Holder) -> bool {
    match (&asked.interface, &holder.interface) {
        (Some(one), Some(other)) => one.index == other.index,
        _ => true,
    }
}

/// SO_REUSEPORT groups are of one user; TIME_WAIT sockets have no owner and are let through.
fn same_owner(asked: &Socket, holder: &Holder) -> bool {
    holder.uid.is_none_or(|uid| uid == asked.uid)
}

/// The addresses that a socket receives for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// `::` without IPV6_V6ONLY.
    Everything,
    /// 0.0.0.0, or ::ffff:0.0.0.0.
    AllV4,
    /// One IPv4 address, mapped or not.
    V4(Ipv4Addr),
    /// `::` with IPV6_V6ONLY.
    AllV6,
    /// One IPv6 address.
    V6(Ipv6Addr),
}

impl Range {
    fn of_asked(asked: &Socket) -> Self {
        Self::new(asked.address, asked.options.v6_only)
    }

    fn of_holder(holder: &Holder) -> Self {
        Self::new(holder.address, holder.options.v6_only)
    }

    fn new(address: IpAddr, v6_only: bool) -> Self {
        let v6 = match address {
            IpAddr::V4(v4) => return Self::of_v4(v4),
            IpAddr::V6(v6) => v6,
        };
        match v6.to_ipv4_mapped() {
            Some(v4) => Self::of_v4(v4),
            None if !v6.is_unspecified() => Self::V6(v6),
            None if v6_only => Self::AllV6,
            None => Self::Everything,
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if address.is_unspecified() { Self::AllV4 } else { Self::V4(address) }
    }

    const fn is_v4(self) -> bool {
        matches!(self, Self::AllV4 | Self::V4(_))
    }
}

fn overlap(one: &Range, other: &Range) -> bool {
    match (one, other) {
        (Range::Everything, _) | (_, Range::Everything) => true,
        (Range::V4(one), Range::V4(other)) => one == other,
        (Range::V6(one), Range::V6(other)) => one == other,
        _ => one.is_v4() == other.is_v4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KERNEL-checked on 5.10, 6.1, 6.12, 6.18 and 7.3: rows ask, columns hold.
    #[test]
    fn overlap_of_addresses() {
        let columns = [
            ("0.0.0.0", false),
            ("127.0.0.1", false),
            ("::", false),
            ("::", true),
            ("::1", true),
            ("::ffff:0.0.0.0", false),
            ("::ffff:127.0.0.1", false),
        ];
        let rows = [
            ("0.0.0.0", false, "YYYnnYY"),
            ("127.0.0.1", false, "YYYnnYY"),
            ("127.0.0.2", false, "YnYnnYn"),
            ("::", false, "YYYYYYY"),
            ("::", true, "nnYYYnn"),
            ("::1", true, "nnYYYnn"),
            ("::2", true, "nnYYnnn"),
            ("::ffff:127.0.0.1", false, "YYYnnYY"),
            ("::ffff:0.0.0.0", false, "YYYnnYY"),
        ];
        for (address, v6_only, expected) in rows {
            let asked = Range::new(address.parse().unwrap(), v6_only);
            let got: String = columns
                .iter()
                .map(|(held, v6_only)| Range::new(held.parse().unwrap(), *v6_only))
                .map(|held| if overlap(&asked, &held) { 'Y' } else { 'n' })
                .collect();
            assert_eq!(got, expected, "{address} v6_only={v6_only}");
        }
    }
}
