//! Real containers: Debian's dockerd and podman, in a mount and a network namespace of their own.
//!
//! Nothing of the machine's own containers is touched: the daemon has its own folders, its own socket and its own
//! bridge, and ends with the check.

mod docker;
mod podman;
mod world;

pub(super) use docker::{around, clients};
pub(super) use podman::host_network;
