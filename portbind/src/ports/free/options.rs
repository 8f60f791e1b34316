//! How a port is freed.

use std::time::Duration;

use crate::event::Protocol;

/// How a port is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeOptions {
    /// The protocol of the port.
    pub protocol: Protocol,
    /// How long processes have between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// The port counts as free when a bind with SO_REUSEADDR succeeds.
    pub reuse_address: bool,
    /// Only show what would be done.
    pub dry_run: bool,
}

impl Default for FreeOptions {
    fn default() -> Self {
        Self { protocol: Protocol::Tcp, grace: Duration::from_secs(5), reuse_address: false, dry_run: false }
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// What was planned is done.
    Yes,
    /// Nothing is done.
    No,
}
