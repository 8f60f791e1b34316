//! The expected report of a refusal: the table `[[scenario.event]]`.

use std::net::IpAddr;

use serde::Deserialize;

/// The expected report of a refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// The operation, if not the step's own.
    pub operation: Option<String>,
    /// The errno, if not the caller's.
    pub error: Option<String>,
    /// The address, if not the requested one.
    pub address: Option<IpAddr>,
    /// The port, if not the requested one.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Option<String>,
    /// The code of the cause.
    pub cause: Option<String>,
    /// Text in the summary; `$folder` stands for the folder of the play.
    pub says: Option<String>,
    /// The holders in the way.
    pub holders: Vec<ExpectedHolder>,
    /// No holder is in the way.
    pub no_holder: bool,
    /// Other holders may be in the way, too.
    pub others: bool,
    /// Labels of sockets that are not in the way.
    pub not_blamed: Vec<String>,
    /// Codes of all remedies, in their order.
    pub fixes: Option<Vec<String>>,
    /// Text in the first remedy, like `says`.
    pub fix_says: Option<String>,
}

/// A holder in the way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedHolder {
    /// Its label; without a label, a socket without an inode.
    pub socket: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// The kind of owner that the socket can have.
    pub ownership: Option<String>,
    /// Uid of the socket.
    pub uid: Option<u32>,
    /// Names of all its owners.
    pub processes: Option<Vec<String>>,
    /// In TIME_WAIT since this mark.
    pub time_wait_since: Option<String>,
    /// Name of the process that bound the socket.
    pub opened_by: Option<String>,
    /// Name of the process that closed the connection first.
    pub left_by: Option<String>,
}
