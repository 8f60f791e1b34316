//! The values on the command line: each is checked once, and typed from then on.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use portbind_abi as abi;

use crate::event::Errno;
use crate::session::{self, ProtocolFilter};

mod error;
mod netns;
mod target;
#[cfg(test)]
mod tests;
mod zone;

pub use error::ValueError;
use error::{digits, parts};
pub use netns::NetnsRef;
pub use target::{PortProtocol, Target};
pub use zone::Zone;

/// The highest error number of Linux (include/uapi/asm-generic/errno.h: EHWPOISON).
const MAX_ERRNO: u32 = 133;

/// A set of ports, such as `8080,9000-9010`. Port 0 stands for calls that request any free port.
#[derive(Clone, PartialEq, Eq)]
pub struct PortList {
    words: Box<[u64; Self::WORDS]>,
}

impl PortList {
    /// Number of 64-bit words in the set.
    pub const WORDS: usize = 1024;

    /// Whether `port` is in the set.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.words[usize::from(port / 64)] & (1 << (port % 64)) != 0
    }

    /// The ports in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        (0..=u16::MAX).filter(|port| self.contains(*port))
    }

    /// The set as a bitmap: port `p` is bit `p % 64` of word `p / 64`.
    #[must_use]
    pub fn words(&self) -> &[u64; Self::WORDS] {
        &self.words
    }

    /// The ports as ranges in ascending order.
    fn ranges(&self) -> Vec<(u16, u16)> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for port in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
                _ => ranges.push((port, port)),
            }
        }
        ranges
    }
}

impl FromStr for PortList {
    type Err = ValueError;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let mut words = Box::new([0; Self::WORDS]);
        for part in parts(list) {
            let port = |word: &str| digits::<u16>(word).ok_or_else(|| ValueError::Port(part.to_owned()));
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (port(first)?, port(last)?),
                None => (port(part)?, port(part)?),
            };
            if last < first {
                return Err(ValueError::ReversedRange(part.to_owned()));
            }
            for port in first..=last {
                words[usize::from(port / 64)] |= 1 << (port % 64);
            }
        }
        Ok(Self { words })
    }
}

impl fmt::Display for PortList {
    /// Prints the shortest form that parses to the same set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges().into_iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for PortList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortList({self})")
    }
}

/// A set of errors, such as `eaddrinuse,13` or `all`; the default is EADDRINUSE alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorSet {
    words: [u64; abi::ERROR_WORDS],
}

impl ErrorSet {
    const EMPTY: Self = Self { words: [0; abi::ERROR_WORDS] };

    /// The set of all errors.
    #[must_use]
    pub fn all() -> Self {
        (1..=MAX_ERRNO).fold(Self::EMPTY, |set, number| set.with(Errno(number)))
    }

    /// Whether `error` is in the set.
    #[must_use]
    pub fn contains(&self, error: Errno) -> bool {
        error.0 <= MAX_ERRNO && self.words[(error.0 / 64) as usize] & (1 << (error.0 % 64)) != 0
    }

    /// The set as a bitmap: error `e` is bit `e % 64` of word `e / 64`.
    #[must_use]
    pub const fn words(&self) -> [u64; abi::ERROR_WORDS] {
        self.words
    }

    /// Adds `error`, which is at most [`MAX_ERRNO`].
    fn with(mut self, error: Errno) -> Self {
        session::add_error(&mut self.words, error);
        self
    }
}

impl Default for ErrorSet {
    fn default() -> Self {
        Self::EMPTY.with(Errno::EADDRINUSE)
    }
}

impl FromStr for ErrorSet {
    type Err = ValueError;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let mut set = Self::EMPTY;
        for part in parts(list) {
            if part.eq_ignore_ascii_case("all") {
                set = Self::all();
                continue;
            }
            let number = digits(part).filter(|number| (1..=MAX_ERRNO).contains(number)).map(Errno);
            let error = number.or_else(|| Errno::from_name(part));
            set = set.with(error.ok_or_else(|| ValueError::Errno(part.to_owned()))?);
        }
        Ok(set)
    }
}

/// A set of protocols, such as `tcp,udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolSet(u32);

impl ProtocolSet {
    /// The set as bits of [`portbind_abi::protocol`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for ProtocolSet {
    type Err = ValueError;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let mut bits = 0;
        for part in parts(list) {
            let protocol = match part.to_ascii_lowercase().as_str() {
                "tcp" => ProtocolFilter::Tcp,
                "udp" => ProtocolFilter::Udp,
                "mptcp" => ProtocolFilter::Mptcp,
                "ping" => ProtocolFilter::Ping,
                "udplite" => ProtocolFilter::Udplite,
                "sctp" => ProtocolFilter::Sctp,
                "unix" => ProtocolFilter::Unix,
                "netlink" => ProtocolFilter::Netlink,
                "vsock" => ProtocolFilter::Vsock,
                _ => return Err(ValueError::Protocol(part.to_owned())),
            };
            bits |= protocol.bit();
        }
        Ok(Self(bits))
    }
}

/// The name of a process or thread: 1 to 15 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comm(String);

impl Comm {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Comm {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        const LONGEST: usize = abi::COMM_LEN - 1;
        if word.is_empty() || word.contains('\0') {
            return Err(ValueError::Comm(word.to_owned()));
        }
        if word.len() > LONGEST {
            let kept = word[..word.floor_char_boundary(LONGEST)].to_owned();
            return Err(ValueError::LongComm { word: word.to_owned(), kept });
        }
        Ok(Self(word.to_owned()))
    }
}

/// A duration in the syntax of timeout(1): a positive number, optionally followed by `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

impl FromStr for Seconds {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (number, unit) = match word.as_bytes().last() {
            Some(b's') => (&word[..word.len() - 1], 1.0),
            Some(b'm') => (&word[..word.len() - 1], 60.0),
            Some(b'h') => (&word[..word.len() - 1], 3600.0),
            Some(b'd') => (&word[..word.len() - 1], 86_400.0),
            _ => (word, 1.0),
        };
        let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        plain
            .then(|| number.parse::<f64>().ok())
            .flatten()
            .and_then(|number| Duration::try_from_secs_f64(number * unit).ok())
            .filter(|duration| !duration.is_zero())
            .map(Self)
            .ok_or_else(|| ValueError::Seconds(word.to_owned()))
    }
}
