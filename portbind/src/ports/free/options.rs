//! Options for freeing a port.

use std::time::Duration;

use crate::event::Protocol;

/// Options for freeing a port. The default is TCP, 5 s, without SO_REUSEADDR, not dry; change the fields of the
/// default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FreeOptions {
    /// The protocol of the port.
    pub protocol: Protocol,
    /// Time between the first signal and SIGKILL.
    pub grace: Duration,
    /// Treat the port as free when a bind with SO_REUSEADDR succeeds.
    pub reuse_address: bool,
    /// Only show what would be done.
    pub dry_run: bool,
}

impl Default for FreeOptions {
    fn default() -> Self {
        Self { protocol: Protocol::Tcp, grace: Duration::from_secs(5), reuse_address: false, dry_run: false }
    }
}

/// The answer to the request for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// Carry out the plan.
    Yes,
    /// Change nothing.
    No,
}
