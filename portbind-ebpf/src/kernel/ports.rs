//! The set of wanted ports.

use crate::maps::PORTS;

/// The word of the set of wanted ports that holds `port`.
#[inline(always)]
pub(crate) fn wanted_ports(port: u16) -> u64 {
    // SAFETY: the value is only read, and only user space writes it, before the programs run.
    PORTS.get(u32::from(port >> 6)).copied().unwrap_or(0)
}
