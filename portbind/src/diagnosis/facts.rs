//! What was found on the host after a refusal, as plain data.

/// What is known of the ports of the network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortFacts {
    /// Lowest and highest ephemeral port (`net.ipv4.ip_local_port_range`).
    pub ephemeral: Option<(u16, u16)>,
    /// Ports that are left out of it (`net.ipv4.ip_local_reserved_ports`), as the kernel writes them.
    pub reserved: Option<String>,
    /// A port near the refused one to which the same bind was possible a moment ago.
    pub free_port: Option<u16>,
}
