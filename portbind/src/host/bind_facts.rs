//! What decides a bind besides the sockets on the port: addresses, privileged ports, capabilities.
//!
//! These facts are read for the network namespace of the socket; if that is impossible, none is read.

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::os::fd::AsFd as _;

use super::broker::Setting;
use super::local_addresses;
use super::machine::Host;
use super::unix::namespace;
use crate::diagnosis::other_errors::{Facts, Presence};
use crate::event::{Errno, Socket, State};

/// Enough for the addresses of every machine except Internet routers.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// CAP_NET_BIND_SERVICE (include/uapi/linux/capability.h).
const NET_BIND_SERVICE: u32 = 10;
/// The file shows the network namespace of the process that reads it (net_ctl_header_lookup in net/sysctl_net.c).
const UNPRIVILEGED_FROM: &str = "sys/net/ipv4/ip_unprivileged_port_start";

/// A call that failed.
#[derive(Clone, Copy, Debug)]
pub struct FailedCall<'a> {
    /// The error that the caller got.
    pub error: Errno,
    /// The caller.
    pub pid: u32,
    /// Start of the caller, in the form that [`Host::describe_if_started_at`] takes.
    pub start_boot_ns: u64,
    /// Real user id of the caller.
    pub uid: u32,
    /// The socket.
    pub socket: &'a Socket,
    /// State of the socket.
    pub state: State,
    /// The socket had a port before the call.
    pub has_port: bool,
    /// The ancestors of the caller, nearest first: pid and start.
    pub parents: &'a [(u32, u64)],
}

impl Host {
    /// Gathers the facts that explain this error, and no others.
    #[must_use]
    pub fn bind_facts(&self, call: &FailedCall<'_>) -> Facts {
        let mut facts = Facts::unknown(call.state);
        match call.error.name() {
            Some("EADDRNOTAVAIL") => facts.presence = self.presence(call),
            Some("EINVAL") => facts.is_bound = call.has_port,
            Some("EACCES") if call.socket.port != 0 => {
                facts.unprivileged_from = self.unprivileged_from(call.pid, call.socket.netns);
                facts.may_bind_privileged = self.may_bind_privileged(call);
            }
            _ => {}
        }
        facts
    }

    /// A file of a network namespace: read through the caller if the caller is in it, otherwise through this thread.
    fn of_namespace(&self, call: &FailedCall<'_>, file: &str) -> Option<Vec<u8>> {
        let procfs = &self.procfs;
        // A thread can be in another namespace than its process.
        let who = [call.pid.to_string(), "thread-self".to_owned(), "self".to_owned()];
        let likely = who.into_iter().find(|who| procfs.namespace_of(who, "net") == Some(call.socket.netns));
        // The caller may have ended: any other process in the namespace will do.
        let who = likely.or_else(|| Some(namespace(procfs, call.socket.netns, call.pid)?.0))?;
        let bytes = procfs.read_up_to(&format!("{who}/net/{file}"), MAX_BYTES)?;
        (bytes.len() < usize::try_from(MAX_BYTES).ok()?).then_some(bytes)
    }

    fn presence(&self, call: &FailedCall<'_>) -> Option<Presence> {
        let interface = call.socket.interface.as_ref().map(|interface| interface.index);
        match call.socket.address.to_canonical() {
            IpAddr::V4(address) => {
                Some(local_addresses::presence_v4(&self.of_namespace(call, "fib_trie")?, address))
            }
            IpAddr::V6(address) => {
                Some(local_addresses::presence_v6(&self.of_namespace(call, "if_inet6")?, address, interface))
            }
        }
    }

    fn unprivileged_from(&self, pid: u32, netns: u32) -> Option<u16> {
        let procfs = &self.procfs;
        let is_ours = |who| procfs.namespace_of(who, "net") == Some(netns);
        let text = if is_ours("thread-self") || is_ours("self") {
            procfs.read(UNPRIVILEGED_FROM)?
        } else {
            let (_, namespace) = namespace(procfs, netns, pid)?;
            let file = self.entrance.setting(Some(namespace.as_fd()), Setting::UnprivilegedPortStart);
            let mut text = Vec::new();
            File::from(file.ok()?).take(MAX_BYTES).read_to_end(&mut text).ok()?;
            text
        };
        std::str::from_utf8(&text).ok()?.trim().parse().ok()
    }

    /// Whether the caller has the capability. A capability of a process in the first user namespace counts in all
    /// others; a capability of a process in another user namespace may count in that namespace only. If the caller has
    /// ended, its nearest living ancestor of the same user stands in for the caller.
    fn may_bind_privileged(&self, call: &FailedCall<'_>) -> Option<bool> {
        if let Some(shown) = self.has_capability(call.pid, call.start_boot_ns, None) {
            return shown;
        }
        let mut above = call.parents.iter();
        above.find_map(|&(pid, start)| self.has_capability(pid, start, Some(call.uid)))?
    }

    /// Whether a process has the capability, if the process lives and belongs to `uid`; `Some(None)` if it lives and
    /// the answer is unknown.
    fn has_capability(&self, pid: u32, start_boot_ns: u64, uid: Option<u32>) -> Option<Option<bool>> {
        let procfs = &self.procfs;
        let status = procfs.read(&format!("{pid}/status"))?;
        let is_first = procfs.namespace_of(&pid.to_string(), "user") == procfs.own_namespace("user")
            && procfs.in_initial_user_namespace() == Some(true);
        if !self.is_the_one_started_at(pid, start_boot_ns) {
            return None;
        }
        if uid.is_some() && super::process::ids(&status).0 != uid {
            return None;
        }
        let effective = effective(&status)?;
        Some(match effective & 1 << NET_BIND_SERVICE {
            0 => Some(false),
            _ => is_first.then_some(true),
        })
    }
}

/// Effective capabilities from `/proc/PID/status` (task_cap in fs/proc/array.c).
fn effective(status: &[u8]) -> Option<u64> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"CapEff:"))?;
    u64::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 16).ok()
}

#[cfg(test)]
#[path = "bind_facts_tests.rs"]
mod tests;
