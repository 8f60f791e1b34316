//! The tests do not depend on the machine: they find the same surroundings everywhere.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::setting::Setting;
use crate::programs;
use crate::sys::net;

/// Settings that a user's shell may have before it starts the tests.
const ODD: &str =
    "umask 077; ulimit -S -n 256; trap '' HUP INT QUIT TERM USR1 USR2; exec \"$0\" surroundings";
/// These signals in the masks of /proc/PID/status.
const SIGNALS: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 9 | 1 << 11;

/// Settings of a network in which tests cannot be played.
const NETWORKS: [(&str, &str); 3] = [
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv4/ip_local_port_range", "1024 65535"),
    ("ipv6/bindv6only", "1"),
];

/// In unusual surroundings, tests switch to the usual ones.
pub(super) fn are_the_same(_: Setting<'_>) -> anyhow::Result<()> {
    is_settled()?;
    for (name, value) in NETWORKS {
        // Only this thread, and the program that it starts, are in that network.
        let settled = std::thread::scope(|scope| scope.spawn(|| network_is_left(name, value)).join());
        settled.ok().context("the thread panicked")?.with_context(|| format!("{name} is {value}"))?;
    }
    Ok(())
}

/// Tests leave a network namespace with this setting for a new one.
fn network_is_left(name: &str, value: &str) -> anyhow::Result<()> {
    net::new_namespace()?;
    let stays = fs::read_link("/proc/thread-self/ns/net")?.display().to_string();
    let has_left = || -> anyhow::Result<bool> {
        let output = Command::new(std::env::current_exe()?).arg("surroundings").output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(!String::from_utf8_lossy(&output.stdout).lines().any(|line| line == stays))
    };
    ensure!(!has_left()?, "a usual network is left");
    fs::write(format!("/proc/sys/net/{name}"), value)?;
    ensure!(has_left()?, "it is not left");
    Ok(())
}

/// Variables, mask, signals and limits.
fn is_settled() -> anyhow::Result<()> {
    let odd = [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("PATH", "/nowhere"),
        ("TMPDIR", "/nowhere"),
        ("HOME", "/nowhere"),
        ("GITHUB_ACTIONS", "true"),
        ("CLICOLOR_FORCE", "1"),
        ("PYTHONPATH", "/nowhere"),
        ("SUDO_UID", "65534"),
        ("TZ", "Asia/Kathmandu"),
    ];
    let mut command = programs::SH.command()?;
    command.args(["-c", ODD]).arg(std::env::current_exe()?).envs(odd).env_remove("RUST_BACKTRACE");
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    let value = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        value.with_context(|| format!("no {name}:\n{text}"))
    };
    let expected = [("LC_ALL", "C.UTF-8"), ("PATH", programs::PATH), ("TZ", "Asia/Kathmandu")];
    ensure!(value("environment ")? == format!("{expected:?}"), "{}", value("environment ")?);
    ensure!(value("Umask ")? == "0022", "umask {}", value("Umask ")?);
    for mask in ["SigIgn ", "SigBlk "] {
        ensure!(u64::from_str_radix(value(mask)?, 16)? & SIGNALS == 0, "{mask}{}", value(mask)?);
    }
    let files: Vec<&str> = value("Max open files")?.split_whitespace().collect();
    ensure!(files.first() != Some(&"256"), "the limit of open files stays low: {files:?}");
    Ok(())
}
