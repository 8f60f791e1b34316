//! What a wrapped command was refused, as it comes: recorded, tallied, and told at the end.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::html::Html;
use super::identity::Identity;
use super::{Args, Finding, page};
use crate::cli::session;
use crate::diagnosis::event::{Command, CommandEnd, Ended, Leak, Refusal, Release, Repeat};
use crate::diagnosis::tally::{Group, Tally};
use crate::error::Error;
use crate::host::zone;
use crate::output::ci;
use crate::output::color::Surroundings;
use crate::output::recorder::{Entry, Recorder};
use crate::output::text::command::{self, CommandReport};
use crate::output::{Format, Printer, Style, Summary};

/// Where a wrapped command's refusals go.
pub(super) struct Collector {
    recorder: Option<Recorder<BufWriter<File>>>,
    html: Option<Html>,
    /// Tells each refusal at once.
    live: Option<Printer<io::Stderr>>,
    style: Style,
    is_quiet: bool,
    ci: Option<ci::System>,
    command: Option<Command>,
    tally: Tally,
    ends: Vec<Ended>,
    summary: Option<Summary>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    refusals: bool,
    leaks: bool,
}

impl Found {
    /// Whether this was found.
    pub(super) const fn has(self, finding: Finding) -> bool {
        match finding {
            Finding::Refusal => self.refusals,
            Finding::Leak => self.leaks,
        }
    }
}

impl Collector {
    /// Opens what is to be written.
    pub(super) fn open(args: &Args, identity: &Identity) -> Result<Self, Error> {
        let is_terminal = io::stderr().is_terminal();
        let style = Style {
            color: args.color.resolve(&Surroundings::of_process(is_terminal)),
            zone: zone::local(),
            ..Style::default()
        };
        let recorder = args.record.as_ref().map(|path| {
            let file = create(path, identity).map_err(|source| Error::Output { path: path.clone(), source });
            file.map(|file| Recorder::new(BufWriter::new(file)))
        });
        let html = args.report.as_ref().map(|path| {
            let file = create(path, identity).map_err(|source| Error::Output { path: path.clone(), source });
            file.map(Html::new)
        });
        Ok(Self {
            recorder: recorder.transpose()?,
            html: html.transpose()?,
            live: args.verbose.then(|| Printer::new(Format::Text, style.clone(), io::stderr())),
            style,
            is_quiet: args.quiet,
            ci: args.ci.resolve(|name| identity.variable(name).is_some()),
            command: None,
            tally: Tally::default(),
            ends: Vec::new(),
            summary: None,
        })
    }

    /// The command is about to run.
    pub(super) fn started(&mut self, command: Command) -> Result<(), Error> {
        self.record(Entry::Command(&command)).map_err(Error::Write)?;
        self.command = Some(command);
        Ok(())
    }

    /// Records and tells what is known when all is over.
    pub(super) fn finish(
        mut self,
        end: &CommandEnd,
        leaks: &[Leak],
        now: Timestamp,
        identity: &Identity,
    ) -> Result<Found, Error> {
        let groups = self.tally.groups(&self.ends, now);
        self.record_end(&groups, end, leaks).map_err(Error::Write)?;
        if let Some(html) = self.html.take() {
            html.write().map_err(Error::Write)?;
        }
        if let (false, Some(command)) = (self.is_quiet, &self.command) {
            let refusals = self.tally.count();
            let report = CommandReport { command, end, groups: &groups, refusals, leaks };
            // The command's own status counts, even where nobody reads on.
            self.tell(&report, identity).or_else(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(Error::Write(error)),
            })?;
        }
        Ok(Found { refusals: self.tally.count() > 0, leaks: !leaks.is_empty() })
    }

    fn tell(&self, report: &CommandReport<'_>, identity: &Identity) -> io::Result<()> {
        let Some(system) = self.ci else {
            return command::write(report, &self.style, &mut io::stderr().lock());
        };
        let page = page::publish(system, report, &self.style, identity);
        ci::write(system, report, &page, &self.style, &mut io::stderr().lock())
    }

    fn record_end(&mut self, groups: &[Group], end: &CommandEnd, leaks: &[Leak]) -> io::Result<()> {
        for (_, outcome) in groups.iter().flat_map(|group| &group.refusals) {
            self.record(Entry::Outcome(outcome))?;
        }
        for leak in leaks {
            self.record(Entry::Leak(leak))?;
        }
        self.record(Entry::End(end))?;
        if let Some(summary) = self.summary.take() {
            self.record(Entry::Summary(&summary))?;
        }
        Ok(())
    }

    fn record(&mut self, entry: Entry<'_>) -> io::Result<()> {
        if let Some(html) = &mut self.html {
            html.push(entry);
        }
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.write(entry))
    }
}

impl session::Sink for Collector {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.tally.push(&Rc::new(refusal.clone()));
        self.record(Entry::Refusal(refusal))?;
        self.live.as_mut().map_or(Ok(()), |live| live.event(refusal))
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        self.record(Entry::Release(release))?;
        self.live.as_mut().map_or(Ok(()), |live| live.release(release))
    }

    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        self.record(Entry::Repeat(repeat))?;
        self.live.as_mut().map_or(Ok(()), |live| live.repeat(repeat))
    }

    fn ended(&mut self, ended: Ended) -> io::Result<()> {
        self.ends.push(ended);
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.summary = Some(summary.clone());
        Ok(())
    }
}

/// Opens a file to append to; one that is new belongs to the user of the command.
fn create(path: &Path, identity: &Identity) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            if let Some(becomes) = &identity.becomes {
                fchown(&file, Some(identity.uid), Some(becomes.gid))?;
            }
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}
