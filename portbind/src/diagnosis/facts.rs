//! What was found on the host after a refusal, as plain data.

use crate::escape::Escaped;
use crate::event::State;

/// Port settings and use in the network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortFacts {
    /// Lowest and highest ephemeral port (`net.ipv4.ip_local_port_range`).
    pub ephemeral: Option<(u16, u16)>,
    /// Ports excluded from the ephemeral range (`net.ipv4.ip_local_reserved_ports`), in the kernel's notation.
    pub reserved: Option<String>,
    /// A port near the refused one that was free for the same bind a moment ago.
    pub free_port: Option<u16>,
    /// Use of the ephemeral ports; collected only if none was left.
    pub usage: Option<Usage>,
}

/// Use of a protocol's ephemeral ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of ports by socket state, highest first. The kernel's list has no sockets that are only bound.
    pub states: Vec<(State, usize)>,
    /// Number of ports by process (name and pid), highest first.
    pub processes: Vec<(String, u32, usize)>,
}

impl Usage {
    /// A phrase for use in a sentence: the states, then the processes with the most ports.
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
