//! An "address in use" error in a log, and the address it names.

use std::fmt;

use jiff::Timestamp;

use super::addresses;
use super::wording::Wording;

/// A refused bind as a log reports it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Complaint {
    /// Number of the line; the first line is 1.
    pub line: u64,
    /// How many more lines are about the same refused bind, or about other attempts of the same process.
    pub repeats: u64,
    /// The line, without control sequences, cut to [`MAX_TEXT`] bytes.
    pub text: String,
    /// The wording that matched.
    pub wording: &'static Wording,
    /// The time in the line; `None` if the line has none.
    pub time: Option<Timestamp>,
    /// Name of the program, if the line contains it.
    pub program: Option<String>,
    /// Process id in the line, which is of the process's own pid namespace.
    pub pid: Option<u32>,
    /// The address that was requested, as far as it is known.
    pub target: Target,
}

/// The most bytes of a line that are kept.
pub const MAX_TEXT: usize = 2000;

/// The requested address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// `tcp` or `udp`.
    pub protocol: Option<String>,
    /// Address or host name, IPv6 without brackets.
    pub address: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Path or abstract name of a socket without a port.
    pub path: Option<String>,
}

impl Target {
    /// An address without a port.
    pub(crate) fn at(address: Option<String>) -> Self {
        Self { address, ..Self::default() }
    }

    /// Whether the requested port or path is known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.port.is_some() || self.path.is_some()
    }

    /// Whether both can be the same: no field that both contain differs, and two exact addresses are one.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        agree(self.protocol.as_ref(), other.protocol.as_ref())
            && agree(self.port.as_ref(), other.port.as_ref())
            && agree(self.path.as_ref(), other.path.as_ref())
            && self
                .address
                .as_ref()
                .zip(other.address.as_ref())
                .is_none_or(|(one, other)| addresses::agree(one, other))
            && !(self.path.is_some() && other.port.is_some() || self.port.is_some() && other.path.is_some())
    }

    /// Takes over the fields that only `other` contains.
    pub(super) fn fill(&mut self, other: Self) {
        self.protocol = self.protocol.take().or(other.protocol);
        if !self.is_known() {
            self.address = other.address.or(self.address.take());
            self.port = other.port;
            self.path = other.path;
        }
        if self.path.is_some() {
            self.protocol = None;
        }
    }

    /// Takes over protocol and address of a target with the same port.
    pub(super) fn fill_address(&mut self, other: Self) {
        if self.port.is_some() && self.port == other.port {
            self.protocol = self.protocol.take().or(other.protocol);
            self.address = self.address.take().or(other.address);
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, address, port, path } = self;
        if let Some(path) = path {
            return f.write_str(path);
        }
        let is_known = address.is_some() || port.is_some();
        if let Some(protocol) = protocol {
            write!(f, "{protocol}{}", if is_known { " " } else { "" })?;
        }
        match address.as_deref().unwrap_or_default() {
            address if address.contains(':') => write!(f, "[{address}]")?,
            address => f.write_str(address)?,
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Complaint {
    /// Names of the executables that may have printed the line; empty if unknown.
    #[must_use]
    pub fn programs(&self) -> Vec<&str> {
        match &self.program {
            Some(program) => vec![program],
            None => self.wording.programs.to_vec(),
        }
    }

    /// Whether the lines name two programs.
    pub(super) fn is_of_another_program(&self, other: &Self) -> bool {
        self.program.as_ref().zip(other.program.as_ref()).is_some_and(|(one, other)| one != other)
    }
}
