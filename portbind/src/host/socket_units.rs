//! Which socket unit systemd holds a socket for, from the unit files on disk.
//!
//! Only system folders are read: a home folder may be on a network file system, and holds whatever its owner put there.
//! No service manager is queried.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Files;
use super::listen_address::ListenAddress;
use crate::event::Process;
use crate::order::collect_sorted;

/// The longest unit file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// The folders of the system's units, the one with the highest precedence first (systemd.unit(5)).
pub(super) const SYSTEM: [&str; 7] = [
    "etc/systemd/system.control",
    "run/systemd/transient",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
];
/// The folders of the units of all users.
pub(super) const USER: [&str; 4] =
    ["etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"];
/// The folder where systemd keeps the invocation id of every running unit, as the link `invocation:UNIT`
/// (unit_export_invocation_id in systemd, src/core/unit.c).
const RUNNING: &str = "run/systemd/units";

/// The kind of socket in a `Listen*=` setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ListenStream=`.
    Stream,
    /// `ListenDatagram=`.
    Datagram,
    /// `ListenSequentialPacket=`.
    SequentialPacket,
}

/// The socket units of a machine.
#[derive(Debug)]
pub struct SocketUnits<'a> {
    files: &'a Files,
}

impl<'a> SocketUnits<'a> {
    pub(super) const fn new(files: &'a Files) -> Self {
        Self { files }
    }

    /// The unit that a process holds such a socket for; `None` if the process is not systemd, or if the files do not
    /// single out one unit.
    #[must_use]
    pub fn held_by(&self, process: &Process, kind: Kind, bound: &ListenAddress) -> Option<String> {
        if process.comm != "systemd" {
            return None;
        }
        if process.pid == 1 {
            let running = self.files.names(RUNNING);
            let is_running = |unit: &str| {
                running.iter().any(|name| name.strip_prefix("invocation:").is_some_and(|name| name == unit))
            };
            return only(self.listening(&SYSTEM, kind, bound), is_running);
        }
        let is_users = process.args.iter().any(|arg| arg == "--user");
        is_users.then(|| only(self.listening(&USER, kind, bound), |_| false))?
    }

    /// The units that listen on this address.
    fn listening(&self, folders: &[&str], kind: Kind, bound: &ListenAddress) -> Vec<String> {
        let names: Vec<(&str, Vec<String>)> =
            folders.iter().map(|folder| (*folder, self.files.names(folder))).collect();
        let all = names.iter().flat_map(|(_, names)| names);
        // Only names of these forms: `x.socket`, and the drop-in folder `x.socket.d`.
        let units: BTreeSet<&str> =
            collect_sorted(all.filter_map(|name| name.ends_with(".socket").then_some(name.as_str())));
        let mut found = Vec::new();
        for unit in units {
            let mut addresses = Addresses::default();
            for text in self.texts(&names, unit) {
                addresses.read(&String::from_utf8_lossy(&text));
            }
            if addresses.0.iter().any(|(listens, asked)| *listens == kind && asked.matches(bound)) {
                found.push(unit.to_owned());
            }
        }
        found
    }

    /// The texts of a unit's file and then its drop-ins; for each name, the one in the folder with the highest
    /// precedence.
    fn texts(&self, folders: &[(&str, Vec<String>)], unit: &str) -> Vec<Vec<u8>> {
        let drop_ins = format!("{unit}.d");
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        let file = folders.iter().find(|(_, names)| has(names, unit));
        let mut paths: Vec<String> = file.map(|(folder, _)| format!("{folder}/{unit}")).into_iter().collect();
        let mut changes = BTreeMap::new();
        for (folder, _) in folders.iter().filter(|(_, names)| has(names, &drop_ins)) {
            let folder = format!("{folder}/{drop_ins}");
            for name in self.files.names(&folder).into_iter().filter(|name| name.ends_with(".conf")) {
                let path = format!("{folder}/{name}");
                changes.entry(name).or_insert(path);
            }
        }
        paths.extend(changes.into_values());
        paths.iter().filter_map(|path| self.files.read(path, MAX_BYTES)).collect()
    }
}

/// The only unit of the list; of several units, the only one that runs.
fn only(mut units: Vec<String>, is_running: impl Fn(&str) -> bool) -> Option<String> {
    if units.len() > 1 {
        units.retain(|unit| is_running(unit));
    }
    (units.len() == 1).then(|| units.pop())?
}

/// The addresses that a unit listens on.
#[derive(Default)]
struct Addresses(Vec<(Kind, ListenAddress)>);

impl Addresses {
    /// Adds the settings of a unit file or a drop-in (systemd.syntax(7)). An empty value removes all addresses given
    /// before, whatever their kind.
    fn read(&mut self, text: &str) {
        let text = text.replace("\\\n", " ");
        let mut in_section = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                in_section = line == "[Socket]";
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| in_section) else { continue };
            let kind = match key.trim_end() {
                "ListenStream" => Kind::Stream,
                "ListenDatagram" => Kind::Datagram,
                "ListenSequentialPacket" => Kind::SequentialPacket,
                _ => continue,
            };
            match value.trim() {
                "" => self.0.clear(),
                value => {
                    // %t is the folder of runtime files; for the system, /run.
                    let address = ListenAddress::parse(&value.replace("%t", "/run"));
                    self.0.extend(address.map(|address| (kind, address)));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "socket_units_tests.rs"]
mod tests;
