//! What a wrapped command was refused, as it comes: recorded, tallied, and told at the end.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _};
use std::rc::Rc;

use jiff::Timestamp;

use super::html::Html;
use super::identity::Identity;
use super::page::Destination;
use super::{Args, Finding};
use crate::cli::session;
use crate::cli::writer::Writer;
use crate::diagnosis::event::{Command, CommandEnd, Ended, Leak, Refusal, Release, Repeat};
use crate::diagnosis::tally::{Group, Tally};
use crate::error::Error;
use crate::host::zone;
use crate::output::ci;
use crate::output::color::Surroundings;
use crate::output::recorder::{Entry, Recorder};
use crate::output::text::command::{self, CommandReport};
use crate::output::{Format, Printer, Style, Summary};
use crate::stderr;

/// Where a wrapped command's refusals go.
pub(super) struct Collector {
    recorder: Option<Recorder<BufWriter<File>>>,
    html: Option<Html>,
    /// Tells each refusal at once.
    live: Option<Printer<io::Stderr>>,
    style: Style,
    is_quiet: bool,
    ci: Option<ci::System>,
    page: Option<Destination>,
    /// Opens files with the rights of the caller; there is none if no file is to be written.
    writer: Option<Writer>,
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
        let ci = args.ci.resolve(|name| identity.variable(name).is_some());
        let page = ci.filter(|_| !args.quiet).and_then(|system| Destination::of(system, identity));
        let writes = args.record.is_some() || args.report.is_some() || page.is_some();
        let mut writer = writes.then(|| Writer::start(&identity.caller()?)).transpose()?;
        Ok(Self {
            recorder: record(args, writer.as_mut())?,
            html: html(args, writer.as_mut())?,
            live: args.verbose.then(|| Printer::new(Format::Text, style.clone(), io::stderr())),
            style,
            is_quiet: args.quiet,
            ci,
            page,
            writer,
            command: None,
            tally: Tally::default(),
            ends: Vec::new(),
            summary: None,
        })
    }

    /// The command is about to run.
    pub(super) fn started(&mut self, command: Command) {
        self.record(Entry::Command(&command));
        self.command = Some(command);
    }

    /// Records and tells what is known when all is over.
    pub(super) fn finish(
        &mut self,
        end: &CommandEnd,
        leaks: &[Leak],
        now: Timestamp,
        identity: &Identity,
    ) -> Found {
        let groups = self.tally.groups(&self.ends, now);
        self.record_end(&groups, end, leaks);
        if let (Some(html), Some(writer)) = (self.html.take(), &mut self.writer)
            && let Err(error) = html.write(writer)
        {
            stderr::say(format_args!("the page is not complete: {}", Error::Write(error)));
        }
        let refusals = self.tally.count();
        if let (false, Some(command)) = (self.is_quiet, self.command.take()) {
            let report = CommandReport { command: &command, end, groups: &groups, refusals, leaks };
            // Where standard error cannot be written, there is nowhere to say so; the command's status counts.
            let _told = self.tell(&report, identity);
        }
        Found { refusals: refusals > 0, leaks: !leaks.is_empty() }
    }

    fn tell(&mut self, report: &CommandReport<'_>, identity: &Identity) -> io::Result<()> {
        let Some(system) = self.ci else {
            return command::write(report, &self.style, &mut io::stderr().lock());
        };
        let page = match (self.page.take(), &mut self.writer) {
            (Some(destination), Some(writer)) => destination.publish(report, &self.style, identity, writer),
            _ => ci::Page::Nowhere,
        };
        ci::write(system, report, &page, &self.style, &mut io::stderr().lock())
    }

    fn record_end(&mut self, groups: &[Group], end: &CommandEnd, leaks: &[Leak]) {
        for (_, outcome) in groups.iter().flat_map(|group| &group.refusals) {
            self.record(Entry::Outcome(outcome));
        }
        for leak in leaks {
            self.record(Entry::Leak(leak));
        }
        self.record(Entry::End(end));
        if let Some(summary) = self.summary.take() {
            self.record(Entry::Summary(&summary));
        }
    }

    /// Records it. The first failure is reported, and ends the recording; the command goes on.
    fn record(&mut self, entry: Entry<'_>) {
        if let Some(html) = &mut self.html {
            html.push(entry);
        }
        if let Some(Err(error)) = self.recorder.as_mut().map(|recorder| recorder.write(entry)) {
            self.recorder = None;
            stderr::say(format_args!("the recording is not complete: {}", Error::Write(error)));
        }
    }

    /// Tells it at once, where that is asked for; standard error that cannot be written is left alone from then on.
    fn show(&mut self, show: impl FnOnce(&mut Printer<io::Stderr>) -> io::Result<()>) {
        if self.live.as_mut().is_some_and(|live| show(live).is_err()) {
            self.live = None;
        }
    }
}

impl session::Sink for Collector {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.tally.push(&Rc::new(refusal.clone()));
        self.record(Entry::Refusal(refusal));
        self.show(|live| live.event(refusal));
        Ok(())
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        self.record(Entry::Release(release));
        self.show(|live| live.release(release));
        Ok(())
    }

    fn repeat(&mut self, _: &Repeat) -> io::Result<()> {
        // Of a command every refusal is told.
        Ok(())
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

fn record(args: &Args, writer: Option<&mut Writer>) -> Result<Option<Recorder<BufWriter<File>>>, Error> {
    let (Some(path), Some(writer)) = (&args.record, writer) else { return Ok(None) };
    let file = writer.append(path).map_err(|source| Error::Output { path: path.clone(), source })?;
    Ok(Some(Recorder::new(BufWriter::new(file)).with_secrets(args.secrets())))
}

fn html(args: &Args, writer: Option<&mut Writer>) -> Result<Option<Html>, Error> {
    let (Some(path), Some(writer)) = (&args.report, writer) else { return Ok(None) };
    let file = writer.replace(path).map_err(|source| Error::Output { path: path.clone(), source })?;
    Ok(Some(Html::new(file)))
}
