//! What portbind must show of a refusal: the table `[[scenario.event]]`.

use std::net::IpAddr;

use serde::Deserialize;

/// What portbind must say of a refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// The operation, if not the step's own.
    pub operation: Option<String>,
    /// The errno, if not the caller's.
    pub error: Option<String>,
    /// The address, if not the one asked for.
    pub address: Option<IpAddr>,
    /// The port, if not the one asked for.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Option<String>,
    /// The code of the cause.
    pub cause: Option<String>,
    /// What its sentence holds; `$folder` stands for the folder of the play.
    pub says: Option<String>,
    /// Those who stand in the way.
    pub holders: Vec<ExpectedHolder>,
    /// Nobody does.
    pub no_holder: bool,
    /// Others than `holders` may stand in the way.
    pub others: bool,
    /// Labels of sockets that do not.
    pub not_blamed: Vec<String>,
    /// Codes of exactly the remedies, in their order.
    pub fixes: Option<Vec<String>>,
    /// What the first remedy holds, as `says`.
    pub fix_says: Option<String>,
}

/// A socket that stands in the way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedHolder {
    /// Its label; without, a socket without an inode.
    pub socket: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// Who can have it open.
    pub ownership: Option<String>,
    /// Its owner.
    pub uid: Option<u32>,
    /// Names of exactly the processes that have it open.
    pub processes: Option<Vec<String>>,
    /// In TIME_WAIT since this mark.
    pub time_wait_since: Option<String>,
    /// Name of the process that gave it its port.
    pub opened_by: Option<String>,
    /// Name of the process that closed the connection first.
    pub left_by: Option<String>,
}
