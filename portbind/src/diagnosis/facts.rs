//! What was found on the host after a refusal, as plain data.

use crate::escape::Escaped;
use crate::event::State;

/// What is known of the ports of the network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortFacts {
    /// Lowest and highest ephemeral port (`net.ipv4.ip_local_port_range`).
    pub ephemeral: Option<(u16, u16)>,
    /// Ports that are left out of it (`net.ipv4.ip_local_reserved_ports`), as the kernel writes them.
    pub reserved: Option<String>,
    /// A port near the refused one to which the same bind was possible a moment ago.
    pub free_port: Option<u16>,
    /// Who uses the ephemeral ports; looked at only where none was left.
    pub usage: Option<Usage>,
}

/// Who uses the ephemeral ports of a protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Ports by the state of a socket on them, most first. Sockets that are bound and neither listen nor
    /// are connected are not in the kernel's list.
    pub states: Vec<(State, usize)>,
    /// Ports by name and pid of a process that has a socket on them open, most first.
    pub processes: Vec<(String, u32, usize)>,
}

impl Usage {
    /// In half a sentence: states, then the processes with the most ports.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        const MOST: usize = 3;
        if self.states.is_empty() {
            return None;
        }
        let states = self.states.iter().map(|(state, count)| format!("{count} {}", state.as_str()));
        let mut text = states.collect::<Vec<_>>().join(", ");
        if !self.processes.is_empty() {
            let most = self.processes.iter().take(MOST);
            let most = most.map(|(comm, pid, count)| format!("{} ({pid}) has {count}", Escaped(comm)));
            text.push_str(&format!("; {}", most.collect::<Vec<_>>().join(", ")));
        }
        Some(text)
    }
}
