//! What stays the same when a refusal occurs again: its cause, the programs, the port, the call.
//!
//! Pids, times, inodes, namespaces, temporary paths, versions and worker numbers are left out, so that refusals of
//! different runs and machines can be counted together.

use std::collections::BTreeSet;
use std::fmt;

use crate::escape::Escaped;
use crate::order::collect_sorted;

mod program;

pub use program::Program;

/// Linux's default ephemeral range (`net.ipv4.ip_local_port_range`; ip(7)). The range of this machine is not used,
/// because a recording may come from another one.
pub const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// Programs in the way that a fingerprint names; further ones are counted.
const MAX_HOLDERS: usize = 4;

/// The parts of a refusal that its fingerprint is made of.
#[derive(Clone, Debug, Default)]
pub struct FingerprintInput<'a> {
    /// Code of the cause.
    pub cause: &'a str,
    /// The call.
    pub operation: &'a str,
    /// Protocol, or family and type.
    pub protocol: &'a str,
    /// Requested port; `None` for portless sockets.
    pub port: Option<u16>,
    /// Requested path or abstract name.
    pub path: Option<&'a str>,
    /// The refused process.
    pub caller: Program<'a>,
    /// The processes that have the sockets in the way open, or that opened or left them.
    pub holders: Vec<Program<'a>>,
}

/// What equal refusals have in common. Names in it are escaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Fingerprint {
    /// Code of the cause.
    pub cause: String,
    /// The refused program.
    pub caller: String,
    /// The call, protocol, and port or path: `bind tcp 8080`, `bind tcp ephemeral`, `bind tcp any`.
    pub asked: String,
    /// The programs in the way; empty if none is known.
    pub holders: String,
}

impl Fingerprint {
    /// The fingerprint of a refusal.
    #[doc(hidden)]
    #[must_use]
    pub fn of(subject: &FingerprintInput<'_>) -> Self {
        let place = match (subject.port, subject.path) {
            (Some(0), _) => "any".to_owned(),
            (Some(port), _) if EPHEMERAL.contains(&port) => "ephemeral".to_owned(),
            (Some(port), _) => port.to_string(),
            (None, Some(path)) => program::path(path),
            (None, None) => "-".to_owned(),
        };
        let holders: BTreeSet<String> = collect_sorted(subject.holders.iter().map(Program::name));
        let more = holders.len().saturating_sub(MAX_HOLDERS);
        let mut holders: Vec<String> = holders.into_iter().take(MAX_HOLDERS).collect();
        if more > 0 {
            holders.push(format!("{more} more"));
        }
        Self {
            cause: subject.cause.to_owned(),
            caller: subject.caller.name(),
            asked: format!("{} {} {place}", Escaped(subject.operation), Escaped(subject.protocol)),
            holders: holders.join(", "),
        }
    }

    /// 16 hexadecimal digits: FNV-1a of the fingerprint's parts, the same on every machine and in every version.
    #[must_use]
    pub fn hash(&self) -> String {
        let parts = [&self.cause, &self.caller, &self.asked, &self.holders];
        let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, caller, asked, holders } = self;
        write!(f, "{}: {caller}, {asked}", Escaped(cause))?;
        if holders.is_empty() { Ok(()) } else { write!(f, ", held by {holders}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn program<'a>(exe: &'a str, args: &'a [String]) -> Program<'a> {
        Program { comm: "thread-7", exe: Some(exe), args }
    }

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn in_words() {
        let (pytest, java) =
            (args(&["python3", "-m", "pytest", "-n4"]), args(&["java", "-jar", "/opt/app-1.2.3.jar"]));
        let mut subject = FingerprintInput {
            cause: "listener",
            operation: "bind",
            protocol: "tcp",
            port: Some(8080),
            caller: program("/usr/bin/python3.11", &pytest),
            holders: vec![program("/usr/lib/jvm/java-17/bin/java", &java), program("/usr/sbin/nginx", &[])],
            ..FingerprintInput::default()
        };
        let fingerprint = Fingerprint::of(&subject);
        assert_eq!(
            fingerprint.to_string(),
            "listener: python -m pytest, bind tcp 8080, held by java -jar app.jar, nginx"
        );
        assert_eq!(fingerprint.hash(), "80248ceeac550c04");
        subject.holders.reverse();
        assert_eq!(Fingerprint::of(&subject), fingerprint);
        for (port, expected) in [
            (0, "bind tcp any"),
            (32_767, "bind tcp 32767"),
            (32_768, "bind tcp ephemeral"),
            (60_999, "bind tcp ephemeral"),
            (61_000, "bind tcp 61000"),
        ] {
            subject.port = Some(port);
            assert_eq!(Fingerprint::of(&subject).asked, expected);
        }
        subject = FingerprintInput {
            port: None,
            path: Some("/tmp/pytest-7/app-812.sock"),
            holders: vec![],
            ..subject
        };
        assert_eq!(
            Fingerprint::of(&subject).to_string(),
            "listener: python -m pytest, bind tcp /tmp/*/app.sock"
        );
    }

    proptest! {
        /// Parts that differ from run to run do not change the fingerprint.
        #[test]
        fn the_same_again(
            pid in 1_u32..4_000_000,
            worker in 0_u8..64,
            hash in "[0-9a-f]{40}",
            port in 32_768_u16..=60_999,
            scratch in "[a-z]{3}[0-9][a-zA-Z0-9]{4}",
            swap in any::<bool>(),
        ) {
            let archive = format!("/tmp/{scratch}/app-{worker}.{pid}.jar");
            let jar = args(&["java", "-jar", &archive, &format!("--pid={pid}")]);
            let node = args(&["node", &format!("/home/runner/{hash}/server.js"), &port.to_string()]);
            let gw = format!("/opt/tool-{hash}/gw{worker}");
            let mut holders = vec![program("/usr/bin/java", &jar), program(&gw, &[])];
            if swap {
                holders.reverse();
            }
            let path = format!("/tmp/{scratch}/{pid}.sock");
            let subject = FingerprintInput {
                cause: "listener", operation: "bind", protocol: "tcp",
                port: Some(port), path: Some(&path),
                caller: program("/usr/local/bin/node20", &node), holders,
            };
            let expected = "listener: node server.js, bind tcp ephemeral, held by gw, java -jar app.jar";
            prop_assert_eq!(Fingerprint::of(&subject).to_string(), expected);
            let unix = FingerprintInput { port: None, ..subject };
            prop_assert_eq!(Fingerprint::of(&unix).asked, "bind tcp /tmp/*/*.sock");
        }

        /// Another cause, program, call or port gives another fingerprint.
        #[test]
        fn another_one(one in "[a-z]{3,8}", other in "[a-z]{3,8}", part in 0_usize..5) {
            prop_assume!(one != other);
            let subject = |word: &str| {
                let mut words = ["cause"; 4].map(str::to_owned);
                if let Some(slot) = words.get_mut(part) {
                    word.clone_into(slot);
                }
                let port = if part == 4 { u16::from(word.as_bytes()[0]) } else { 80 };
                let holder = words[1].clone();
                Fingerprint::of(&FingerprintInput {
                    cause: &words[0], operation: &words[2], protocol: "tcp", port: Some(port), path: None,
                    caller: Program { comm: &words[3], exe: None, args: &[] },
                    holders: vec![Program { comm: &holder, exe: None, args: &[] }],
                })
            };
            let (this, that) = (subject(&one), subject(&other));
            if part < 4 || one.as_bytes()[0] != other.as_bytes()[0] {
                prop_assert_ne!(&this, &that);
                prop_assert_ne!(this.hash(), that.hash());
            }
        }

        #[test]
        fn any_words(
            comm in any::<String>(),
            exe in any::<Option<String>>(),
            args in any::<Vec<String>>(),
            path in any::<String>(),
        ) {
            let program = Program { comm: &comm, exe: exe.as_deref(), args: &args };
            let subject = FingerprintInput {
                path: Some(&path),
                caller: program.clone(),
                holders: vec![program],
                ..FingerprintInput::default()
            };
            prop_assert_eq!(Fingerprint::of(&subject).hash().len(), 16);
        }
    }
}
