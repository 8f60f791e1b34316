//! Collects the refused binds of a wrapped command: records and counts them as they arrive, and reports them at the
//! end.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::advice::advice;
use super::args::{Args, Finding};
use crate::cli::error::Error;
use crate::cli::stderr;
use crate::diagnosis::by_cause::{ByCause, Group};
use crate::event::{Command, CommandEnd, Ended, Leak, Refusal, Release, Repeat, Summary};
use crate::host::confinement::Errand;
use crate::host::{Host, zone};
use crate::output::color::Surroundings;
use crate::output::recorder::{Entry, Recorder};
use crate::output::text::command::{self, Beside, CommandReport};
use crate::output::{Format, Printer, Style};
use crate::report::ci;
use crate::session;
use crate::wire;
use crate::wrapped::daemons::Whose;
use crate::wrapped::{Daemons, Destination, Html, Identity};
use crate::writer::outlet::{Dropped, Haste, Marker, Outlet, Outlets};
use crate::writer::{Writer, is_full};

/// The time limits for writing the last lines: in total, and without any progress.
const LAST_WORDS: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(5);

/// Records and counts the refused binds of a wrapped command.
pub(super) struct Collector {
    recorder: Option<Recorder<Outlet>>,
    /// Marks the lines of the recording that are refused binds.
    marker: Option<Marker>,
    html: Option<Html>,
    /// Prints each refused bind at once.
    live: Option<Printer<Outlet>>,
    /// The files of the recording.
    outlets: Outlets,
    /// The page, if it goes to a stream.
    pages: Outlets,
    /// Standard error, for `live`, and for the report at the end. Only the report waits for it.
    stderr: Outlets,
    style: Style,
    is_quiet: bool,
    ci: Option<ci::System>,
    page: Option<Destination>,
    /// Opens files with the rights of the caller; `None` if no file is to be written.
    writer: Option<Writer>,
    command: Option<Command>,
    by_cause: ByCause,
    summary: Option<wire::Summary>,
    /// Refusals of processes that are not followed.
    filtered: u64,
    daemons: Rc<RefCell<Daemons>>,
    host: Host,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Findings {
    refusals: bool,
    leaks: bool,
}

impl Findings {
    /// Whether this kind was found.
    pub(super) const fn has(self, finding: Finding) -> bool {
        match finding {
            Finding::Refusal => self.refusals,
            Finding::Leak => self.leaks,
        }
    }
}

impl Collector {
    /// Opens the output files.
    pub(super) fn open(
        args: &Args,
        identity: &Identity,
        daemons: Rc<RefCell<Daemons>>,
    ) -> Result<Self, Error> {
        let is_terminal = io::stderr().is_terminal();
        let style = Style {
            color: args.color.resolve(&Surroundings::of_process(is_terminal)),
            zone: zone::local(),
            ..Style::default()
        };
        let ci = args.ci.resolve(|name| identity.variable(name).is_some());
        let page = ci.filter(|_| !args.quiet).and_then(|system| Destination::of(system, identity));
        let errand = page.as_ref().map_or(Errand::Files, Destination::errand);
        let writes = args.record.is_some() || args.report.is_some() || page.is_some();
        let start = || Ok::<_, Error>(Writer::start(&identity.caller()?, errand)?);
        let mut writer = writes.then(start).transpose()?;
        let mut outlets = Outlets::default();
        let record = record(args, writer.as_mut())?.map(|file| outlets.add(file));
        let html = html(args, writer.as_mut())?;
        // Without a file left to write, the helper need not live as long as the command.
        let mut writer = writer.filter(|_| html.is_some() || page.is_some());
        if let Some(writer) = writer.as_mut().filter(|_| errand == Errand::Files)
            && let Err(error) = writer.seal(page.as_ref().and_then(Destination::path))
        {
            stderr::say(format_args!(
                "the helper that writes files is not confined to their folders: {error}"
            ));
        }
        let (mut stderr, pages) = (outlets.beside(), outlets.beside());
        Ok(Self {
            marker: record.as_ref().map(Outlet::marker),
            recorder: record.map(|outlet| Recorder::new(outlet).with_secrets(args.secrets())),
            html,
            live: args.verbose.then(|| Printer::new(Format::Text, style.clone(), stderr.add(io::stderr()))),
            outlets,
            pages,
            stderr,
            style,
            is_quiet: args.quiet,
            ci,
            page,
            writer,
            command: None,
            by_cause: ByCause::default(),
            summary: None,
            filtered: 0,
            daemons,
            host: Host::new(),
        })
    }

    /// What shortens the wait for the readers of the output.
    pub(super) fn haste(&self) -> Haste {
        self.outlets.haste()
    }

    /// Records that the command is about to run.
    pub(super) fn started(&mut self, command: Command) {
        self.record(Entry::Command(&command));
        self.command = Some(command);
    }

    /// Records and prints the final results.
    pub(super) async fn finish(
        &mut self,
        end: &CommandEnd,
        leaks: &[Leak],
        now: Timestamp,
        identity: &Identity,
    ) -> Findings {
        let groups = self.by_cause.groups(now);
        self.record_end(&groups, end, leaks);
        let page = self.write_page();
        let refusals = self.by_cause.count();
        if let (false, Some(command)) = (self.is_quiet, self.command.take()) {
            let lost = self.by_cause.lost();
            let (others, count) = self.by_cause.others();
            let failed = end.ending.exit_status() != 0 && refusals + count == 0;
            let advice =
                if failed { advice(self.daemons.borrow().clients(), self.filtered) } else { Vec::new() };
            let others = others.to_vec();
            let beside = Beside { refusals: &others, count, advice: &advice };
            let groups = &groups;
            let report = CommandReport { command: &command, end, groups, refusals, lost, leaks, beside };
            let mut out = match self.live.take() {
                Some(live) => live.into_inner(),
                None => self.stderr.add(io::stderr()),
            };
            // A failed write to standard error cannot be reported anywhere; the status of the command counts.
            let _told = self.print(&report, identity, &mut out).and_then(|()| out.flush());
        }
        // The command's status is passed on even if no process reads the output or a disk does not respond.
        let deadline = Instant::now() + LAST_WORDS;
        self.stderr.finish(PAUSE, deadline).await;
        self.outlets.finish(PAUSE, deadline).await;
        self.pages.finish(PAUSE, deadline).await;
        drop(page);
        self.say_incomplete();
        Findings { refusals: refusals > 0, leaks: !leaks.is_empty() }
    }

    /// Writes the page. Returns the outlet that the page goes to, if it goes to a stream.
    fn write_page(&mut self) -> Option<Outlet> {
        let (html, writer) = (self.html.take()?, self.writer.as_mut()?);
        html.write(writer, &mut self.pages).unwrap_or_else(|error| {
            say_incomplete("page", error);
            None
        })
    }

    fn print(&mut self, report: &CommandReport<'_>, identity: &Identity, out: &mut Outlet) -> io::Result<()> {
        let Some(system) = self.ci else {
            return command::write(report, &self.style, out);
        };
        let page = match (self.page.take(), &mut self.writer) {
            (Some(destination), Some(writer)) => destination.publish(report, &self.style, identity, writer),
            _ => ci::Page::Nowhere,
        };
        ci::write(system, report, &page, &self.style, out)
    }

    fn record_end(&mut self, groups: &[Group], end: &CommandEnd, leaks: &[Leak]) {
        let all = groups.iter().flat_map(|group| &group.refusals);
        for (_, outcome) in all.filter(|(refusal, outcome)| command::has_outcome(refusal, outcome)) {
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

    /// Records an entry. The first failure is reported and ends the recording; the command goes on.
    fn record(&mut self, entry: Entry<'_>) {
        if let Some(html) = &mut self.html {
            html.push(entry);
        }
        if let Some(Err(error)) = self.recorder.as_mut().map(|recorder| recorder.write(entry)) {
            self.recorder = None;
            say_incomplete("recording", error);
        }
    }

    /// Prints an event at once, if `--verbose` was given. After a failed write to standard error, it prints no more.
    fn show(&mut self, show: impl FnOnce(&mut Printer<Outlet>) -> io::Result<()>) {
        let live = self.live.as_mut().filter(|_| self.stderr.have_room());
        if live.is_some_and(|live| show(live).is_err()) {
            self.live = None;
        }
    }

    /// Reports that the recording is incomplete, if its last lines could not be written.
    fn say_incomplete(&mut self) {
        if let Some(error) = self.pages.failure() {
            say_incomplete("page", error);
        } else if self.pages.dropped().pieces > 0 {
            stderr::say(format_args!("the page is not complete: nobody read it in time"));
        }
        if self.recorder.take().is_none() {
            return;
        }
        match (self.outlets.failure(), self.outlets.dropped()) {
            (Some(error), _) => say_incomplete("recording", error),
            (None, Dropped { pieces: 0, .. }) => {}
            (None, Dropped { pieces, events }) => stderr::say(format_args!(
                "the recording is not complete: nobody read {events} refusals in time ({pieces} lines)"
            )),
        }
    }
}

fn say_incomplete(what: &str, error: io::Error) {
    stderr::say(format_args!("the {what} is not complete: {}", Error::Write(error)));
}

impl session::Sink for Collector {
    fn wants(&mut self, refusal: &mut Refusal, descendants: &dyn Fn() -> Vec<u32>) -> bool {
        let mut daemons = self.daemons.borrow_mut();
        let whose = daemons.whose(refusal, descendants, &self.host);
        if let Whose::Daemon(work) = whose {
            refusal.on_behalf = Some(Box::new(work));
            return true;
        }
        whose == Whose::Command
    }

    fn wants_repeat(&mut self, repeat: &Repeat) -> bool {
        !self.daemons.borrow().hides(repeat)
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        self.by_cause.push(&Rc::new(refusal.clone()));
        if let Some(marker) = &self.marker {
            marker.next_is_an_event();
        }
        self.record(Entry::Refusal(refusal));
        self.show(|live| live.event(refusal));
        Ok(())
    }

    fn release(&mut self, release: &Release) -> io::Result<()> {
        self.record(Entry::Release(release));
        self.show(|live| live.release(release));
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> io::Result<()> {
        if self.daemons.borrow().is_of_others(repeat) {
            self.by_cause.repeat_of_others(repeat);
        } else {
            self.by_cause.repeat(repeat);
        }
        if let Some(marker) = &self.marker {
            marker.next_has(repeat.count);
        }
        self.record(Entry::Repeat(repeat));
        Ok(())
    }

    fn lost(&mut self, count: u64) {
        self.by_cause.lose(count);
    }

    fn has_room(&self) -> bool {
        self.outlets.have_room()
    }

    fn is_in_haste(&self) -> bool {
        self.outlets.haste().has_begun()
    }

    async fn changed(&self) {
        self.outlets.changed().await;
    }

    async fn finish(&self, pause: Duration, deadline: Instant) -> u64 {
        self.outlets.finish(pause, deadline).await
    }

    fn ended(&mut self, ended: Ended) -> io::Result<()> {
        self.by_cause.ended(ended);
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.filtered = summary.account.filtered;
        self.summary = Some(wire::Summary::from(summary));
        Ok(())
    }
}

fn record(args: &Args, writer: Option<&mut Writer>) -> Result<Option<File>, Error> {
    let (Some(path), Some(writer)) = (&args.record, writer) else { return Ok(None) };
    opened(writer.append(path), path)
}

fn html(args: &Args, writer: Option<&mut Writer>) -> Result<Option<Html>, Error> {
    let (Some(path), Some(writer)) = (&args.report, writer) else { return Ok(None) };
    Ok(opened(writer.replace(path), path)?.map(Html::new))
}

/// An opened file. A wrong name is an error; a full device is not: the command then runs without the file.
fn opened<T>(file: io::Result<T>, path: &Path) -> Result<Option<T>, Error> {
    let output = |source| Error::Output { path: path.to_owned(), source };
    match file {
        Err(source) if is_full(&source) => {
            stderr::say(format_args!("{}; the command runs without it", output(source)));
            Ok(None)
        }
        file => file.map(Some).map_err(output),
    }
}
