//! What `who`, `check`, `free` and `wait` share: the network namespace they inspect, and the printing of answers.

use std::io;

use super::style::style;
use super::values::NetnsRef;
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::host::Links;
use crate::output::answer::Answer;
use crate::output::{ColorChoice, Format, Printer, Style, Verbs};
use crate::ports::{self, Inspector, Unseen};
use crate::writer::Caller;

/// Options of all four verbs.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Output format: `text` for people, `json` for one object on a line.
    #[arg(short, long, value_parser = Verbs::Answers, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
    /// Inspect this network namespace: inode number, path, pid:N, or a name under /run/netns.
    #[arg(long, value_name = "NETNS")]
    netns: Option<NetnsRef>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// What a running verb needs to answer.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) inspector: Inspector,
    format: Format,
    pub(super) style: Style,
}

impl Answering {
    /// Opens the network namespace.
    pub(super) fn new(common: &Common) -> Result<Self, Error> {
        // The caller of sudo can place symbolic links in a checkout; following them as root would disclose what root's
        // folders contain.
        let links = if Caller::is_behind_sudo() { Links::OfOwners } else { Links::All };
        let own = Inspector::new()?.following(links).starting_helpers();
        let inspector = match &common.netns {
            None => own,
            Some(name) => {
                let netns = name.open(&own.host).map_err(|source| match source.kind() {
                    io::ErrorKind::PermissionDenied => Error::Ports(ports::Error::Netns(source)),
                    _ => Error::Word { word: "--netns".to_owned(), source },
                })?;
                own.in_namespace(netns)
            }
        };
        Ok(Self { inspector, format: common.output_format, style: style(common.color, true) })
    }

    /// Writes the answer. A closed pipe is not an error.
    pub(super) fn answer(&self, answer: &Answer<'_>) -> Result<(), Error> {
        match Printer::new(self.format, self.style.clone(), io::stdout().lock()).document(answer) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
            _ => Ok(()),
        }
    }
}

/// Reports on stderr what portbind was not allowed to see.
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
