//! The kernel's bind rule as a pure function: whether sockets on a port are in the way of another socket, by which
//! clause, and which changes would help.
//!
//! [`judge`] compares two sockets, [`decide()`] gives the kernel's answer to a whole call, and [`changes()`] lists what
//! would let a refused call pass. They apply to sockets of one network namespace, one port and one [`Transport`]; other
//! sockets never conflict.
//!
//! KERNEL: `inet_csk_get_port`, `inet_csk_bind_conflict`, `inet_bind_conflict` and `inet_rcv_saddr_equal`
//! (net/ipv4/inet_connection_sock.c), `udp_lib_lport_inuse` (net/ipv4/udp.c), 5.10 to 7.3. `portbind-tests rule`
//! compares every answer with the running kernel's.

mod address;
mod changes;
mod clause;
mod decide;
mod evidence;
mod generation;
mod memory;
mod sockets;
#[cfg(test)]
mod tests;

pub use changes::{Change, changes};
pub use clause::Clause;
pub use decide::{Outcome, decide, judge};
pub use generation::Generation;
pub use memory::Memory;
pub use sockets::{Asked, Endpoint, Group, Held, Port, Stage, Transport};
