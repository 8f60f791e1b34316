//! The network of the tests: IPv6, and the kernel's initial settings.

use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::sys::net;

/// Settings that affect binds, below /proc/sys/net, with their values in a new network namespace
/// (Documentation/networking/ip-sysctl.rst of 6.18). Kernels before 5.7 lack one.
const SETTINGS: [(&str, &str); 7] = [
    ("ipv4/ip_autobind_reuse", "0"),
    ("ipv4/ip_local_port_range", "32768 60999"),
    ("ipv4/ip_local_reserved_ports", ""),
    ("ipv4/ip_nonlocal_bind", "0"),
    ("ipv4/ip_unprivileged_port_start", "1024"),
    ("ipv6/bindv6only", "0"),
    ("ipv6/ip_nonlocal_bind", "0"),
];

/// Enters a new network namespace if the tests cannot be played in the present one. Returns the reason.
///
/// # Errors
///
/// If a new namespace does not help: the kernel lacks IPv6.
pub(super) fn settle() -> anyhow::Result<Option<String>> {
    let Some(reason) = obstacle()? else { return Ok(None) };
    net::new_namespace().with_context(|| format!("{reason}, and there is no other network namespace"))?;
    match obstacle()? {
        None => Ok(Some(reason)),
        Some(still) => bail!("{still}, in a new network namespace as well: the tests need it"),
    }
}

/// What is unusual about the present namespace.
fn obstacle() -> anyhow::Result<Option<String>> {
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        return Ok(Some(format!("no port of ::1 can be bound ({error})")));
    }
    for (name, usual) in SETTINGS {
        let path = Path::new("/proc/sys/net").join(name);
        if path.exists() {
            let value = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            if value != usual {
                return Ok(Some(format!("net/{name} is {value:?}, not {usual:?}")));
            }
        }
    }
    Ok(None)
}
