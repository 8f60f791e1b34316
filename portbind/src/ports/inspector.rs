//! The network namespace that questions refer to, as this process sees it.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::error::Error;
use super::request::{PortOrName, Request};
use crate::diagnosis::unix::Object;
use crate::event::{Name, Protocol};
use crate::host::clock::boot_time;
use crate::host::port_sockets::{PortSockets, Query};
use crate::host::sockets::Scan;
use crate::host::stale::left_aside;
use crate::host::unix::{Sight, namespaces};
use crate::host::unix_sockets::{PortlessSocket, Wanted, find, in_namespace};
use crate::host::{Host, Links, Netns, SocketOwners};
use crate::kernel::owner_source::OwnerSource;

/// Inspects one network namespace of this machine.
///
/// As root it sees every socket and process; otherwise only what this user may see, and [`Unseen`](super::Unseen)
/// counts the rest.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspector {
    pub(crate) host: Host,
    pub(super) netns: Netns,
    owners: OnceCell<OwnerSource>,
    is_for_one_namespace: bool,
    links: Links,
    pub(super) starts_helpers: bool,
}

impl Inspector {
    /// Inspects the network namespace of this process.
    ///
    /// # Errors
    /// [`Error::Netns`] if `/proc` does not show the namespace.
    pub fn new() -> Result<Self, Error> {
        let host = Host::new();
        let netns = Netns::own(&host.procfs).map_err(Error::Netns)?;
        Ok(Self {
            host,
            netns,
            owners: OnceCell::new(),
            is_for_one_namespace: false,
            links: Links::All,
            starts_helpers: false,
        })
    }

    /// Inspects the network namespace of an open file instead, such as `/proc/PID/ns/net` or `/run/netns/NAME`. A
    /// socket file is then found only if its socket is in this namespace, too.
    ///
    /// # Errors
    /// [`Error::Netns`] if the file is no network namespace, or if this process may not enter the namespace
    /// (CAP_SYS_ADMIN).
    pub fn in_namespace_of(self, file: OwnedFd) -> Result<Self, Error> {
        let netns = Netns::of(&self.host.procfs, file).map_err(Error::Netns)?;
        netns.inside(|| ()).map_err(Error::Netns)?;
        Ok(self.in_namespace(netns))
    }

    /// Inspects this network namespace instead.
    #[must_use]
    pub(crate) fn in_namespace(self, netns: Netns) -> Self {
        Self { netns, is_for_one_namespace: true, ..self }
    }

    /// Sets which symbolic links are followed; without it, all are. With [`Links::OfOwners`], a caller who chose the
    /// path cannot learn what other users' folders contain.
    #[must_use]
    pub fn following(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// States that this program is portbind, which can start itself again to remove a file with another user's rights.
    pub(crate) fn starting_helpers(self) -> Self {
        Self { starts_helpers: true, ..self }
    }

    /// The current time, by the clock that dates the starts of processes.
    pub(super) fn now(&self) -> Timestamp {
        self.host.clock.at(boot_time())
    }

    /// A request for this target in the inspected namespace.
    pub(super) fn request(&self, target: PortOrName) -> Request {
        Request { target, protocol: None, netns: self.netns.inode(), netns_name: self.netns_name() }
    }

    /// The namespace's name, if the namespace is not this process's own.
    pub(super) fn netns_name(&self) -> Option<String> {
        let number = self.netns.inode();
        let name = || self.host.network_namespace_name(number).unwrap_or_else(|| number.to_string());
        (!self.netns.is_own()).then(name)
    }

    /// The sockets on a port, and the processes that own them.
    pub(super) fn find(&self, query: &Query) -> Result<PortSockets, Error> {
        self.host
            .port_sockets(&self.netns, query, |inodes| self.owners(inodes))
            .map_err(|error| self.error(error))
    }

    /// Why the kernel does not list its sockets.
    pub(super) fn error(&self, source: io::Error) -> Error {
        if !self.netns.is_own() && source.kind() == io::ErrorKind::PermissionDenied {
            Error::Netns(source)
        } else {
            Error::Sockets(source)
        }
    }

    /// The AF_UNIX sockets with this name, and the object at its path.
    ///
    /// # Errors
    /// [`Error::Led`] if the path contains a symbolic link that must not be followed.
    pub(super) fn find_name(&self, name: &Name) -> Result<(PortSockets, Option<Sight>), Error> {
        let (sight, found) = match name {
            Name::Path(path) => {
                let sight = self.sight(Path::new(OsStr::from_bytes(path)))?;
                let found = self.bound_to(&sight);
                (Some(sight), found)
            }
            Name::Abstract(name) => {
                let kinds = [Protocol::Stream, Protocol::Dgram, Protocol::Seqpacket];
                let wanted = kinds.map(|kind| Wanted::Abstract(name.clone(), kind));
                (None, wanted.iter().flat_map(|wanted| self.portless(wanted)).collect())
            }
            _ => (None, Vec::new()),
        };
        Ok((self.host.portless_sockets(found, |inodes| self.owners(inodes)), sight))
    }

    /// The object at a path; if there is none, the socket file that an interrupted removal has moved aside.
    fn sight(&self, path: &Path) -> Result<Sight, Error> {
        let look = |path: &Path| self.host.sight_of(path, self.links);
        let there = look(path).map_err(|uid| Error::Led { path: path.to_owned(), uid })?;
        if there.object != Object::Gone {
            return Ok(there);
        }
        let moved = left_aside(path).and_then(|aside| look(&aside).ok());
        let is_socket = |object| matches!(object, Object::LiveSocket | Object::StaleSocket | Object::Socket);
        Ok(match moved.filter(|moved| is_socket(moved.object)) {
            Some(moved) => Sight { absolute: there.absolute, ..moved },
            None => there,
        })
    }

    /// The sockets bound to a socket file. The path refers to the same file in every network namespace.
    fn bound_to(&self, sight: &Sight) -> Vec<PortlessSocket> {
        let is_socket = matches!(sight.object, Object::LiveSocket | Object::Socket);
        let Some(file) = sight.file.filter(|_| is_socket) else { return Vec::new() };
        let wanted = Wanted::File(file, sight.absolute.clone());
        let found = self.portless(&wanted);
        if !found.is_empty() || self.is_for_one_namespace {
            return found;
        }
        let procfs = &self.host.procfs;
        let others = namespaces(procfs);
        let entrance = &self.host.entrance;
        others.iter().flat_map(|(process, file)| find(procfs, entrance, process, file, &wanted)).collect()
    }

    fn portless(&self, wanted: &Wanted) -> Vec<PortlessSocket> {
        in_namespace(&self.host.procfs, &self.netns, wanted)
    }

    fn owners(&self, inodes: &HashSet<u64>) -> Scan {
        let source = || OwnerSource::for_one_question(SocketOwners::new(self.host.procfs.clone()));
        self.owners.get_or_init(source).scan(inodes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn only_network_namespaces_are_entered() {
        let inspect = |path| Inspector::new().unwrap().in_namespace_of(File::open(path).unwrap().into());
        assert!(inspect("/proc/self/ns/net").is_ok());
        for path in ["/proc/self/ns/uts", "/proc/self/status"] {
            assert!(matches!(inspect(path), Err(Error::Netns(_))), "{path} is no network namespace");
        }
    }
}
