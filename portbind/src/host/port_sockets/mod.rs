//! The sockets on a port of a network namespace, without tracing: asked of the kernel's socket diagnosis, and
//! of the processes that have them open.

mod ask;
mod copies;
mod find;
mod inet_diag;
mod query;
mod socket;
#[cfg(test)]
mod tests;

pub use ask::ask;
pub use find::{PortSockets, Unseen};
pub use query::{Protocols, Query};
pub use socket::PortSocket;
