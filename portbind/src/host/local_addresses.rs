//! Whether an address is local to a network namespace, from the files in `/proc/PID/net`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnosis::other_errors::Presence;

/// Flags of an address (include/uapi/linux/if_addr.h).
const OPTIMISTIC: u8 = 0x04;
const DAD_FAILED: u8 = 0x08;
const TENTATIVE: u8 = 0x40;

/// Reads `fib_trie` (fib_trie_seq_show in net/ipv4/fib_trie.c): a line that begins with `|--` holds a prefix, and the
/// lines below it hold its routes, `/LENGTH SCOPE TYPE`. As for a bind, broadcast and multicast addresses count as
/// local.
pub(super) fn presence_v4(trie: &[u8], address: Ipv4Addr) -> Presence {
    let text = String::from_utf8_lossy(trie);
    let mut prefix = None;
    for line in text.lines().map(str::trim) {
        if let Some(leaf) = line.strip_prefix("|-- ") {
            prefix = leaf.parse::<Ipv4Addr>().ok();
            continue;
        }
        let Some((prefix, route)) = prefix.zip(line.strip_prefix('/')) else { continue };
        let mut words = route.split_ascii_whitespace();
        let length = words.next().and_then(|length| length.parse().ok());
        let is_local = matches!(words.nth(1), Some("LOCAL" | "BROADCAST" | "MULTICAST"));
        if is_local && length.is_some_and(|length| covers(prefix, length, address)) {
            return Presence::Present;
        }
    }
    Presence::Absent
}

fn covers(prefix: Ipv4Addr, length: u32, address: Ipv4Addr) -> bool {
    let differ = prefix.to_bits() ^ address.to_bits();
    differ.leading_zeros() >= length.min(u32::BITS)
}

/// Reads `if_inet6` (if6_seq_show in net/ipv6/addrconf.c): address, interface, prefix length, scope and flags in
/// hexadecimal digits, and the name of the interface. A link-local address counts only on the interface that the socket
/// is bound to (__ipv6_chk_addr_and_flags).
pub(super) fn presence_v6(table: &[u8], address: Ipv6Addr, interface: Option<u32>) -> Presence {
    let text = String::from_utf8_lossy(table);
    let digits = format!("{:032x}", address.to_bits());
    let mut best = Presence::Absent;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some(&digits) {
            continue;
        }
        let index = words.next().and_then(|index| u32::from_str_radix(index, 16).ok());
        let flags = words.nth(2).and_then(|flags| u8::from_str_radix(flags, 16).ok()).unwrap_or(0);
        let found = match interface {
            Some(wanted) if address.is_unicast_link_local() && index != Some(wanted) => {
                Presence::OtherInterface
            }
            _ if flags & TENTATIVE == 0 || flags & OPTIMISTIC != 0 => Presence::Present,
            _ if flags & DAD_FAILED != 0 => Presence::Duplicate,
            _ => Presence::Tentative,
        };
        best = closer(best, found);
    }
    best
}

/// The result that is closer to a possible bind.
fn closer(one: Presence, other: Presence) -> Presence {
    let rank = |presence| match presence {
        Presence::Absent => 0,
        Presence::OtherInterface => 1,
        Presence::Duplicate => 2,
        Presence::Tentative => 3,
        Presence::Present => 4,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRIE: &[u8] = b"Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 192.0.2.0
        /24 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.0.2.7
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
";

    #[test]
    fn finds_addresses_of_ipv4() {
        for (address, expected) in [
            ("192.0.2.7", Presence::Present),
            ("192.0.2.8", Presence::Absent),
            ("192.0.2.255", Presence::Present),
            ("127.0.0.1", Presence::Present),
            ("127.9.9.9", Presence::Present),
            ("128.0.0.1", Presence::Absent),
            ("10.0.0.1", Presence::Absent),
        ] {
            assert_eq!(presence_v4(TRIE, address.parse().unwrap()), expected, "{address}");
        }
    }

    const TABLE: &[u8] = b"00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000000000000000001 02 40 20 80     eth0
20010db8000000000000000000000001 02 40 00 40     eth0
20010db8000000000000000000000002 02 40 00 44     eth0
20010db8000000000000000000000003 02 40 00 48     eth0
20010db8000000000000000000000003 03 40 00 c0     eth1
";

    #[test]
    fn finds_addresses_of_ipv6() {
        for (address, interface, expected) in [
            ("::1", None, Presence::Present),
            ("fe80::1", Some(2), Presence::Present),
            ("fe80::1", Some(3), Presence::OtherInterface),
            ("fe80::1", None, Presence::Present),
            ("2001:db8::1", Some(3), Presence::Tentative),
            ("2001:db8::2", None, Presence::Present),
            ("2001:db8::3", None, Presence::Tentative),
            ("2001:db8::4", None, Presence::Absent),
        ] {
            assert_eq!(presence_v6(TABLE, address.parse().unwrap(), interface), expected, "{address}");
        }
        let duplicate = TABLE.rsplitn(3, |&byte| byte == b'\n').last().unwrap();
        assert_eq!(presence_v6(duplicate, "2001:db8::3".parse().unwrap(), None), Presence::Duplicate);
    }

    #[test]
    fn the_loopback_of_this_machine_is_local() {
        let trie = std::fs::read("/proc/self/net/fib_trie").unwrap();
        assert_eq!(presence_v4(&trie, Ipv4Addr::LOCALHOST), Presence::Present);
        assert_eq!(presence_v4(&trie, Ipv4Addr::new(192, 0, 2, 1)), Presence::Absent);
    }

    proptest! {
        #[test]
        fn takes_any_bytes(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            text in "(\\|-- |/|[0-9.]{1,9}| |\n|LOCAL){0,40}",
        ) {
            for bytes in [&bytes[..], text.as_bytes()] {
                let _ = presence_v4(bytes, Ipv4Addr::LOCALHOST);
                let _ = presence_v6(bytes, Ipv6Addr::LOCALHOST, Some(1));
            }
        }
    }
}
