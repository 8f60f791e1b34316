//! What `who`, `check`, `free` and `wait` have in common: where they look, and how they answer.

use std::io;

use super::style::style;
use super::values::NetnsRef;
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::host::{Host, Links};
use crate::output::answer::Answer;
use crate::output::{ColorChoice, Format, Printer, Style, Verbs};
use crate::ports::{self, Inspector, Unseen};
use crate::writer::Caller;

/// Options of each of these verbs.
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

/// A verb at work.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) inspector: Inspector,
    format: Format,
    pub(super) style: Style,
}

impl Answering {
    /// Finds the network namespace.
    pub(super) fn new(common: &Common) -> Result<Self, Error> {
        // The caller of sudo makes links in a checkout, and is not shown what is in folders of root's.
        let links = if Caller::is_behind_sudo() { Links::OfOwners } else { Links::All };
        let own = Inspector::new()?.following(links).starting_helpers();
        let inspector = match &common.netns {
            None => own,
            Some(name) => {
                own.in_namespace(name.open(&Host::new()).map_err(|source| match source.kind() {
                    io::ErrorKind::PermissionDenied => Error::Ports(ports::Error::Netns(source)),
                    _ => Error::Word { word: "--netns".to_owned(), source },
                })?)
            }
        };
        Ok(Self { inspector, format: common.output_format, style: style(common.color, true) })
    }

    /// Writes the answer; a closed pipe is no error.
    pub(super) fn answer(&self, answer: &Answer<'_>) -> Result<(), Error> {
        match Printer::new(self.format, self.style.clone(), io::stdout().lock()).document(answer) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
            _ => Ok(()),
        }
    }
}

/// Says what could not be seen.
pub(super) fn report_unseen(unseen: Unseen) {
    if unseen.processes > 0 {
        let processes = if unseen.processes == 1 { "process" } else { "processes" };
        stderr::say(format_args!(
            "{} {processes} may not be asked which sockets they have open: {}",
            unseen.processes,
            if rustix::process::geteuid().is_root() { "CAP_SYS_PTRACE is missing" } else { "root sees all" }
        ));
    }
    if unseen.bound_sockets {
        stderr::say(
            "this kernel lists TCP sockets that are bound and do not listen for root alone: some may be missing",
        );
    }
}
