//! Ports that a protocol fixes: its clients ask no other port, so that another port is no remedy.

use crate::event::Protocol;

/// Ports that clients find by their number: assigned by IANA, and used without a port in the clients' settings.
#[rustfmt::skip]
const FIXED: [u16; 89] = [
    7, 9, 13, 19, 20, 21, 22, 23, 25, 37, 43, 49, 53, 67, 68, 69, 79, 80, 88, 102, 110, 111, 113, 119, 123, 135, 137,
    138, 139, 143, 161, 162, 179, 194, 319, 320, 389, 427, 443, 445, 464, 465, 500, 512, 513, 514, 515, 520, 521, 546,
    547, 548, 554, 563, 587, 623, 631, 636, 646, 749, 830, 853, 873, 989, 990, 992, 993, 994, 995, 1701, 1812, 1813,
    1900, 2049, 3478, 3702, 4369, 4500, 4789, 5060, 5061, 5350, 5351, 5353, 5355, 6081, 6696, 9987, 17500,
];
/// Ports on which each participant of a multicast protocol receives, or a DHCP client of each interface: several
/// programs share them.
const SHARED: [u16; 7] = [68, 546, 1900, 3702, 5350, 5353, 5355];

/// Whether clients look for the service on this port only.
pub(super) fn is_fixed(port: u16) -> bool {
    FIXED.contains(&port)
}

/// Whether several programs of one host share this port by design.
pub(super) fn is_shared_by_design(protocol: Protocol, port: u16) -> bool {
    protocol.is_datagram() && SHARED.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ports_are_those_that_clients_expect() {
        for port in [53, 67, 68, 123, 137, 139, 445, 546, 547, 1900, 5353] {
            assert!(is_fixed(port), "{port}");
        }
        for port in [1, 600, 3000, 5432, 8080] {
            assert!(!is_fixed(port), "{port}");
        }
        assert!(FIXED.is_sorted() && SHARED.iter().all(|port| is_fixed(*port)));
        assert!(is_shared_by_design(Protocol::Udp, 5353) && !is_shared_by_design(Protocol::Tcp, 5353));
    }
}
