//! What portbind says of a refusal, as far as the tests read it.

use std::net::IpAddr;

use serde::Deserialize;

/// One line of `portbind trace -o json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// What the line is; `refusal` for a refusal.
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
    /// Why.
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
    /// Its name; empty where it has none.
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
    /// Its user.
    pub uid: Option<u32>,
}

/// The refused socket.
#[derive(Clone, Debug, Deserialize)]
pub struct Socket {
    /// Address family.
    pub family: String,
    /// Transport protocol.
    pub protocol: serde_json::Value,
    /// Address asked for.
    pub address: Option<IpAddr>,
    /// Port asked for.
    pub port: Option<u16>,
    /// Path or abstract name asked for.
    pub path: Option<String>,
    /// Name asked for, of netlink.
    pub netlink: Option<Netlink>,
    /// Name asked for, of vsock.
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
    /// What was asked for, in one word; only what the family has may be there.
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
    /// It stands in the way.
    pub conflicts: bool,
    /// Local address.
    pub address: Option<IpAddr>,
    /// Local port.
    pub port: Option<u16>,
    /// Inode of the socket.
    pub inode: Option<u64>,
    /// Owner.
    pub uid: Option<u32>,
    /// Who can have it open.
    pub ownership: Option<String>,
    /// Time until TIME_WAIT ends.
    pub time_wait_left_ms: Option<u64>,
    /// Who gave it its port.
    pub opened_by: Option<Opener>,
    /// Who closed the connection first.
    pub left_by: Option<Opener>,
    /// Who has it open.
    pub processes: Vec<HolderProcess>,
}

/// A change that makes the call work.
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

/// A process that has a holder open.
#[derive(Clone, Debug, Deserialize)]
pub struct HolderProcess {
    /// Its pid.
    pub pid: u32,
    /// Its first descriptor.
    pub fd: Option<u32>,
    /// All its descriptors.
    pub fds: Option<Vec<u32>>,
}

/// Reads one line; `Ok(None)` if it is no refusal.
///
/// # Errors
///
/// If the line is not JSON, or a refusal without the parts every refusal has.
pub fn parse(line: &str) -> Result<Option<Event>, serde_json::Error> {
    let value: serde_json::Value = serde_json::from_str(line)?;
    if value.get("kind").and_then(serde_json::Value::as_str) != Some("refusal") {
        return Ok(None);
    }
    let mut event: Event = serde_json::from_value(value)?;
    line.clone_into(&mut event.line);
    Ok(Some(event))
}
