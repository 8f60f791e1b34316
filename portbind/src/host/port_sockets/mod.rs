//! Finds the sockets on a port of a network namespace without tracing: through the kernel's socket diagnosis, and
//! through the descriptors of the owners.

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
