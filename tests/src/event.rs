//! The fields of portbind's refusals that the tests read.

use std::net::IpAddr;

use serde::Deserialize;

/// One line of `portbind trace -o json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// The kind of the line; `refusal` for a refusal.
    pub kind: String,
    /// The call.
    pub operation: String,
    /// The errno.
    pub error: ErrorName,
    /// The caller.
    pub process: Process,
    /// The refused socket.
    pub socket: Socket,
    /// The sockets on the port.
    pub holders: Vec<Holder>,
    /// The cause.
    pub cause: Cause,
    /// Remedies.
    pub fixes: Vec<Fix>,
    /// The backend.
    pub backend: String,
    /// The line itself.
    #[serde(skip)]
    pub line: String,
}

/// An errno.
#[derive(Clone, Debug, Deserialize)]
pub struct ErrorName {
    /// Its name; empty if it has none.
    #[serde(deserialize_with = "or_empty")]
    pub name: String,
}

fn or_empty<'de, D: serde::Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// Why a call was refused.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Cause {
    /// Its code.
    pub code: String,
    /// A sentence.
    pub summary: String,
}

/// The caller.
#[derive(Clone, Debug, Deserialize)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Its uid.
    pub uid: Option<u32>,
}

/// The refused socket.
#[derive(Clone, Debug, Deserialize)]
pub struct Socket {
    /// Address family.
    pub family: String,
    /// Transport protocol.
    pub protocol: serde_json::Value,
    /// The requested address.
    pub address: Option<IpAddr>,
    /// The requested port.
    pub port: Option<u16>,
    /// The requested path or abstract name.
    pub path: Option<String>,
    /// The requested netlink name.
    pub netlink: Option<Netlink>,
    /// The requested vsock name.
    pub vsock: Option<Vsock>,
}

/// The name of a netlink socket.
#[derive(Clone, Debug, Deserialize)]
pub struct Netlink {
    /// Port id.
    pub port_id: u32,
}

/// The name of a vsock socket.
#[derive(Clone, Debug, Deserialize)]
pub struct Vsock {
    /// Port.
    pub port: u32,
}

impl Socket {
    /// The requested address in one word; fails if a field of another family is present.
    #[must_use]
    pub fn asked(&self) -> String {
        match (self.address.zip(self.port), &self.path, &self.netlink, &self.vsock) {
            (Some((address, port)), None, None, None) => format!("{address}:{port}"),
            (None, Some(path), None, None) => path.clone(),
            (None, None, Some(Netlink { port_id }), None) => format!("netlink {port_id}"),
            (None, None, None, Some(Vsock { port })) => format!("vsock {port}"),
            _ => format!("{self:?}"),
        }
    }
}

/// A socket on the port.
#[derive(Clone, Debug, Deserialize)]
pub struct Holder {
    /// Its state.
    pub state: String,
    /// The socket is in the way.
    pub conflicts: bool,
    /// Local address.
    pub address: Option<IpAddr>,
    /// Local port.
    pub port: Option<u16>,
    /// Inode of the socket.
    pub inode: Option<u64>,
    /// Uid of the socket.
    pub uid: Option<u32>,
    /// The kind of owner that the socket can have.
    pub ownership: Option<String>,
    /// Time until TIME_WAIT ends.
    pub time_wait_left_ms: Option<u64>,
    /// The process that bound the socket.
    pub opened_by: Option<Opener>,
    /// The process that closed the connection first.
    pub left_by: Option<Opener>,
    /// The owners of the socket.
    pub processes: Vec<HolderProcess>,
}

/// A remedy.
#[derive(Clone, Debug, Deserialize)]
pub struct Fix {
    /// Its code.
    pub code: String,
    /// What to do.
    pub text: String,
    /// The command that does it.
    pub command: Option<String>,
}

/// A process that may have ended.
#[derive(Clone, Debug, Deserialize)]
pub struct Opener {
    /// Its pid.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Its executable.
    pub exe: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
}

/// An owner of a holder.
#[derive(Clone, Debug, Deserialize)]
pub struct HolderProcess {
    /// Its pid.
    pub pid: u32,
    /// Its first descriptor.
    pub fd: Option<u32>,
    /// All its descriptors.
    pub fds: Option<Vec<u32>>,
}

/// Parses one line; `Ok(None)` if it is not a refusal.
///
/// # Errors
///
/// If the line is not JSON, or a refusal without its mandatory fields.
pub fn parse(line: &str) -> Result<Option<Event>, serde_json::Error> {
    let value: serde_json::Value = serde_json::from_str(line)?;
    if value.get("kind").and_then(serde_json::Value::as_str) != Some("refusal") {
        return Ok(None);
    }
    let mut event: Event = serde_json::from_value(value)?;
    line.clone_into(&mut event.line);
    Ok(Some(event))
}
