//! `portbind check`: its answer matches what happens afterwards.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::ensure;

use super::ask::{LOCALHOST, answer, ask, done, list, of, socket};
use super::commands::as_nobody;
use super::setting::Setting;
use crate::actor::{Action, Protocol, SocketOption};
use crate::actors::Actors;
use crate::ports::Ports;

/// Addresses of the sockets.
const ADDRESSES: [IpAddr; 4] = [
    LOCALHOST,
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];
const PLAIN: &[SocketOption] = &[];
const REUSE_ADDRESS: &[SocketOption] = &[SocketOption::ReuseAddress];
const REUSE_PORT: &[SocketOption] = &[SocketOption::ReusePort];

/// A table of holders and callers: the answer, the rule and the kernel's result agree.
pub(super) fn table(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut actors, mut ports) = (Actors::default(), Ports::new());
    let port = ports.take()?;
    done(&mut actors, "holder", &Action::NewNetns)?;
    done(&mut actors, "binder", &Action::JoinNetns { of: "holder".to_owned(), pid: 0 })?;
    let mut refused = 0;
    for (options, listen) in
        [(PLAIN, true), (REUSE_ADDRESS, false), (REUSE_ADDRESS, true), (REUSE_PORT, true)]
    {
        for at in [ADDRESSES[0], ADDRESSES[1], ADDRESSES[3]] {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                let listen = listen && protocol == Protocol::Tcp;
                done(&mut actors, "holder", &socket("old", protocol, options, (at, port), listen))?;
                refused += compare(setting, &mut actors, protocol, port)?;
                done(&mut actors, "holder", &Action::Close { socket: "old".to_owned() })?;
            }
        }
    }
    ensure!(refused > 50, "only {refused} of the calls were refused");
    Ok(())
}

/// Checks each kind of bind, and then makes it; returns the number of refusals.
fn compare(setting: Setting<'_>, actors: &mut Actors, protocol: Protocol, port: u16) -> anyhow::Result<u32> {
    let there = of(actors, "holder")?;
    let proto = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
    let mut refused = 0;
    for (options, flag) in
        [(PLAIN, None), (REUSE_ADDRESS, Some("--reuse-address")), (REUSE_PORT, Some("--reuse-port"))]
    {
        for address in ADDRESSES {
            let listen = protocol == Protocol::Tcp;
            let outcome =
                actors.perform("binder", &socket("new", protocol, options, (address, port), listen))?;
            if outcome.error.is_none() {
                done(actors, "binder", &Action::Close { socket: "new".to_owned() })?;
            }
            let (port, address) = (port.to_string(), address.to_string());
            let mut words = vec!["check", &port, "--address", &address, "--proto", proto, "--netns", &there];
            words.extend(flag);
            let shown = ask(setting, &words, i32::from(outcome.error.is_some()))?;
            ensure!(shown["free"] == outcome.error.is_none(), "{:?}: {shown}", outcome.error);
            ensure!(
                shown["error"]["name"].as_str() == outcome.error.as_deref(),
                "{:?}: {shown}",
                outcome.error
            );
            ensure!(shown["as_expected"] == true, "the rule expected otherwise: {shown}");
            if outcome.error.is_some() {
                refused += 1;
                let first = &list(&shown, "holders")[0];
                ensure!(first["conflicts"] == true && !list(&shown, "fixes").is_empty(), "{shown}");
            }
        }
    }
    Ok(refused)
}

/// Warnings for a port in the ephemeral range, a reserved port, and a port that requires a privilege.
pub(super) fn warnings(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut actors = Actors::default();
    done(&mut actors, "holder", &Action::NewNetns)?;
    for (name, value) in [
        ("ipv4/ip_local_port_range", "40000 50000"),
        ("ipv4/ip_local_reserved_ports", "8080,45000-45010"),
        ("ipv4/ip_unprivileged_port_start", "1024"),
    ] {
        let (name, value) = (name.to_owned(), value.to_owned());
        done(&mut actors, "holder", &Action::Sysctl { name, value })?;
    }
    let there = of(&actors, "holder")?;
    let command = "sysctl -w net.ipv4.ip_local_reserved_ports=8080,45000-45010,44000";
    for (port, expected) in [("44000", Some(command)), ("45005", None), ("8080", None)] {
        let shown = ask(setting, &["check", port, "--netns", &there], 0)?;
        let warned = list(&shown, "warnings").first().and_then(|warning| warning["command"].as_str());
        ensure!(warned == expected, "{shown}");
    }
    let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    if start.trim().parse::<u16>()? > 1 {
        let shown = answer(&as_nobody(setting, &["check", "1", "-o", "json"])?, 1)?;
        ensure!(shown["error"]["name"] == "EACCES" && shown["cause"]["code"] == "privileged-port", "{shown}");
    }
    let shown = ask(setting, &["check", "9", "--address", "192.0.2.1", "--netns", &there], 1)?;
    ensure!(shown["cause"]["code"] == "address-not-local", "{shown}");
    Ok(())
}
