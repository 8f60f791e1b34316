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
enum Named {
    Ip(IpAddr),
    /// All addresses, of whatever family.
    Any,
    Loopback,
    Host,
}

fn named(text: &str) -> Named {
    let text = text.split('%').next().unwrap_or(text);
    match text.parse::<IpAddr>() {
        Ok(ip) => Named::Ip(ip.to_canonical()),
        Err(_) if matches!(text, "*" | "any" | "") => Named::Any,
        Err(_) if text.eq_ignore_ascii_case("localhost") => Named::Loopback,
        Err(_) => Named::Host,
    }
}

/// How the address in a log fits the one that a call asked for; `None` if the log names another.
pub(super) fn fit(text: Option<&str>, asked: Option<IpAddr>) -> Option<Fit> {
    let (Some(text), Some(asked)) = (text, asked.map(|asked| asked.to_canonical())) else {
        return Some(Fit::Open);
    };
    match named(text) {
        Named::Ip(ip) if ip == asked => Some(Fit::Same),
        Named::Ip(ip) => (ip.is_unspecified() && asked.is_unspecified()).then_some(Fit::Open),
        Named::Any => asked.is_unspecified().then_some(Fit::Same),
        Named::Loopback => asked.is_loopback().then_some(Fit::Same),
        Named::Host => Some(Fit::Open),
    }
}

/// Whether two addresses of a log can be the same.
pub(super) fn agree(one: &str, other: &str) -> bool {
    match (named(one), named(other)) {
        (Named::Ip(one), Named::Ip(other)) => one == other,
        (Named::Ip(ip), Named::Any) | (Named::Any, Named::Ip(ip)) => ip.is_unspecified(),
        (Named::Ip(ip), Named::Loopback) | (Named::Loopback, Named::Ip(ip)) => ip.is_loopback(),
        (Named::Any, Named::Loopback) | (Named::Loopback, Named::Any) => false,
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
