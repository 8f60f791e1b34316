//! Compares the addresses that logs name with each other and with those of refused binds.

use std::net::IpAddr;

/// How well an address in a log fits that of a refused bind, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The log names this address.
    Same,
    /// The log names no address, a host by name, or the wildcard address of the other family.
    Open,
}

/// What a log calls an address.
enum Written {
    Ip(IpAddr),
    /// All addresses, of whatever family.
    Any,
    Loopback,
    Host,
}

fn written(text: &str) -> Written {
    let text = text.split('%').next().unwrap_or(text);
    match text.parse::<IpAddr>() {
        Ok(ip) => Written::Ip(ip.to_canonical()),
        Err(_) if matches!(text, "*" | "any" | "") => Written::Any,
        Err(_) if text.eq_ignore_ascii_case("localhost") => Written::Loopback,
        Err(_) => Written::Host,
    }
}

/// How the address in a log fits the one that a call asked for; `None` if the log names another.
pub(super) fn fit(text: Option<&str>, asked: Option<IpAddr>) -> Option<Fit> {
    let (Some(text), Some(asked)) = (text, asked.map(|asked| asked.to_canonical())) else {
        return Some(Fit::Open);
    };
    match written(text) {
        Written::Ip(ip) if ip == asked => Some(Fit::Same),
        Written::Ip(ip) => (ip.is_unspecified() && asked.is_unspecified()).then_some(Fit::Open),
        Written::Any => asked.is_unspecified().then_some(Fit::Same),
        Written::Loopback => asked.is_loopback().then_some(Fit::Same),
        Written::Host => Some(Fit::Open),
    }
}

/// Whether two addresses of a log can be the same.
pub(super) fn agree(one: &str, other: &str) -> bool {
    match (written(one), written(other)) {
        (Written::Ip(one), Written::Ip(other)) => one == other,
        (Written::Ip(ip), Written::Any) | (Written::Any, Written::Ip(ip)) => ip.is_unspecified(),
        (Written::Ip(ip), Written::Loopback) | (Written::Loopback, Written::Ip(ip)) => ip.is_loopback(),
        (Written::Any, Written::Loopback) | (Written::Loopback, Written::Any) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fit, agree, fit};

    #[test]
    fn exact_addresses_differ() {
        for (text, asked, expected) in [
            (Some("127.0.0.1"), "127.0.0.1", Some(Fit::Same)),
            (Some("127.0.0.1"), "::ffff:127.0.0.1", Some(Fit::Same)),
            (Some("127.0.0.1"), "::1", None),
            (Some("127.0.0.1"), "0.0.0.0", None),
            (Some("0.0.0.0"), "::", Some(Fit::Open)),
            (Some("*"), "::", Some(Fit::Same)),
            (Some("localhost"), "::1", Some(Fit::Same)),
            (Some("localhost"), "::", None),
            (Some("build1"), "10.0.0.1", Some(Fit::Open)),
            (None, "10.0.0.1", Some(Fit::Open)),
            (Some("fe80::1%eth0"), "fe80::1", Some(Fit::Same)),
        ] {
            assert_eq!(fit(text, asked.parse().ok()), expected, "{text:?} {asked}");
        }
        assert!(
            !agree("0.0.0.0", "::")
                && agree("*", "::")
                && agree("localhost", "127.0.0.1")
                && agree("x", "::1")
        );
    }
}
