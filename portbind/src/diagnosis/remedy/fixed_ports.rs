//! Ports that a protocol fixes: its clients ask no other port, so that another port is no remedy.

use crate::event::Protocol;

/// The first port that IANA does not assign to system services (RFC 6335, section 6).
const FIRST_USER_PORT: u16 = 1024;
/// Registered ports that clients find by their number only, without a setting.
const FIXED: [u16; 16] =
    [1701, 1812, 1813, 1900, 2049, 3478, 3702, 4500, 4789, 5004, 5060, 5350, 5351, 5353, 5355, 6081];
/// Ports on which each participant of a multicast protocol receives: several programs share them.
const MULTICAST: [u16; 5] = [1900, 3702, 5350, 5353, 5355];

/// Whether clients look for the service on this port only.
pub(super) fn is_fixed(port: u16) -> bool {
    (1..FIRST_USER_PORT).contains(&port) || FIXED.contains(&port)
}

/// Whether several programs of one host share this port by design.
pub(super) fn is_shared_by_design(protocol: Protocol, port: u16) -> bool {
    matches!(protocol, Protocol::Udp | Protocol::Udplite) && MULTICAST.contains(&port)
}
