//! What the helpers have in common: where they look, and how they answer.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::style::style;
use super::values::NetnsRef;
use super::writer::Caller;
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::diagnosis::answer::{Place, Subject, Unseen};
use crate::diagnosis::unix::Object;
use crate::event::{Name, Protocol};
use crate::host::clock::boot_time;
use crate::host::port_sockets::{Found, Query};
use crate::host::sockets::Scan;
use crate::host::stale::left_aside;
use crate::host::unix::{Sight, namespaces};
use crate::host::unix_sockets::{NamedSocket, Wanted, find};
use crate::host::{Host, Links, Netns, SocketOwners};
use crate::kernel::owner_source::OwnerSource;
use crate::output::answer::Answer;
use crate::output::{ColorChoice, Format, Printer, Style, Verbs};

/// Options of every helper.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// How the answer is written: `text` for people, `json` as one object on a line.
    #[arg(short, long, value_parser = Verbs::Answers, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
    /// Look into this network namespace: inode number, path, pid:N, or a name under /run/netns.
    #[arg(long, value_name = "NETNS")]
    netns: Option<NetnsRef>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// A helper at work.
#[derive(Debug)]
pub(super) struct Helper {
    pub(super) host: Host,
    pub(super) netns: Netns,
    format: Format,
    pub(super) style: Style,
    owners: OnceCell<OwnerSource>,
    has_namespace_option: bool,
}

impl Helper {
    /// Finds the network namespace.
    pub(super) fn new(common: &Common) -> Result<Self, Error> {
        let host = Host::new();
        let netns = match &common.netns {
            None => Netns::own(&host.procfs).map_err(Error::Netns)?,
            Some(name) => name.open(&host).map_err(|source| match source.kind() {
                io::ErrorKind::PermissionDenied => Error::Netns(source),
                _ => Error::Word { word: "--netns".to_owned(), source },
            })?,
        };
        Ok(Self {
            owners: OnceCell::new(),
            netns,
            format: common.output_format,
            style: style(common.color, true),
            has_namespace_option: common.netns.is_some(),
            host,
        })
    }

    /// The present, by the clock that starts of processes are told by.
    pub(super) fn now(&self) -> Timestamp {
        self.host.clock.at(boot_time())
    }

    /// What is asked about, in the namespace that is looked into.
    pub(super) fn subject(&self, place: Place, protocol: Option<Protocol>) -> Subject {
        Subject { place, protocol, netns: self.netns.inode(), netns_name: self.netns_name() }
    }

    /// Name of the namespace, where it is another than this process' own.
    pub(super) fn netns_name(&self) -> Option<String> {
        let number = self.netns.inode();
        let name = || self.host.network_namespace_name(number).unwrap_or_else(|| number.to_string());
        (!self.netns.is_own()).then(name)
    }

    /// The sockets on a port and everybody behind them.
    pub(super) fn find(&self, query: &Query) -> Result<Found, Error> {
        self.host
            .port_sockets(&self.netns, query, |inodes| self.owners(inodes))
            .map_err(|error| self.error(error))
    }

    /// What kept the kernel from telling its sockets.
    pub(super) fn error(&self, source: io::Error) -> Error {
        if !self.netns.is_own() && source.kind() == io::ErrorKind::PermissionDenied {
            Error::Netns(source)
        } else {
            Error::Sockets(source)
        }
    }

    /// The sockets of AF_UNIX that have a name, and what is at a path.
    ///
    /// # Errors
    /// [`Error::Led`] if a link leads to the path that may not be followed.
    pub(super) fn find_name(&self, name: &Name) -> Result<(Found, Option<Sight>), Error> {
        let (sight, found) = match name {
            Name::Path(path) => {
                let sight = self.sight(Path::new(OsStr::from_bytes(path)))?;
                let found = self.bound_to(&sight);
                (Some(sight), found)
            }
            Name::Abstract(name) => {
                let kinds = [Protocol::Stream, Protocol::Dgram, Protocol::Seqpacket];
                let wanted = kinds.map(|kind| Wanted::Abstract(name.clone(), kind));
                (None, wanted.iter().flat_map(|wanted| self.named(wanted)).collect())
            }
            _ => (None, Vec::new()),
        };
        Ok((self.host.named_sockets(found, |inodes| self.owners(inodes)), sight))
    }

    /// What is at a path, or where nothing is, the socket file that a removal that was broken off has moved aside.
    fn sight(&self, path: &Path) -> Result<Sight, Error> {
        // The caller of sudo makes links in a checkout, and is not shown what is in folders of root's.
        let links = if Caller::is_behind_sudo() { Links::OfOwners } else { Links::All };
        let look = |path: &Path| self.host.look_at(path, links);
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

    /// The sockets that are bound to a socket file. The path leads to it from any network namespace.
    fn bound_to(&self, sight: &Sight) -> Vec<NamedSocket> {
        let is_socket = matches!(sight.object, Object::LiveSocket | Object::Socket);
        let Some(file) = sight.file.filter(|_| is_socket) else { return Vec::new() };
        let wanted = Wanted::File(file, sight.absolute.clone());
        let found = self.named(&wanted);
        if !found.is_empty() || self.has_namespace_option {
            return found;
        }
        let procfs = &self.host.procfs;
        let others = namespaces(procfs);
        let entrance = &self.host.entrance;
        others.iter().flat_map(|(process, file)| find(procfs, entrance, process, file, &wanted)).collect()
    }

    fn named(&self, wanted: &Wanted) -> Vec<NamedSocket> {
        crate::host::unix_sockets::in_namespace(&self.host.procfs, &self.netns, wanted)
    }

    fn owners(&self, inodes: &HashSet<u64>) -> Scan {
        let source = || OwnerSource::for_one_question(SocketOwners::new(self.host.procfs.clone()));
        self.owners.get_or_init(source).scan(inodes)
    }

    /// Writes the answer; a closed pipe is no error.
    pub(super) fn answer(&self, answer: &Answer<'_>) -> Result<(), Error> {
        match Printer::new(self.format, self.style.clone(), io::stdout().lock()).document(answer) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
            _ => Ok(()),
        }
    }

    /// Says what could not be seen.
    pub(super) fn tell_unseen(&self, unseen: Unseen) {
        if unseen.processes > 0 {
            let processes = if unseen.processes == 1 { "process" } else { "processes" };
            stderr::say(format_args!(
                "{} {processes} may not be asked which sockets they have open: {}",
                unseen.processes,
                if rustix::process::geteuid().is_root() {
                    "CAP_SYS_PTRACE is missing"
                } else {
                    "root sees all"
                }
            ));
        }
        if unseen.bound_sockets {
            stderr::say(
                "this kernel tells root alone of TCP sockets that are bound and do not listen: some may be missing",
            );
        }
    }
}
