//! A recording, or a page, that goes to a pipe whose reader stalls.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::Signal;

use super::totals::total;
use super::wrapped::wrapped;
use crate::actor::Protocol;
use crate::checks::setting::Setting;
use crate::checks::support::{ContestedPort, SOON};
use crate::scratch::Scratch;
use crate::tracer::Tracer;

/// Processes of the command, and refusals of each: more than fits into the pipe and the memory of portbind.
const PROCESSES: u64 = 16;
const EACH: u64 = 30;
/// How long the end may take after the first signal, and after the second.
const END: Duration = Duration::from_secs(1);
const AT_ONCE: Duration = Duration::from_millis(200);
/// Attempts: another load on the machine can delay the end.
const TRIES: usize = 3;

/// The reader of the recording stalls: the report has every refusal, and says what is not in the recording; after the
/// end of the command, portbind ends soon after a signal, and at once after the second.
pub(in crate::checks) fn stalled_recording(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ends = Vec::new();
    while ends.len() < TRIES && ends.last().is_none_or(|took| *took > END) {
        ends.push(one_signal(setting)?);
    }
    ensure!(ends.last().is_some_and(|took| *took <= END), "the end took {ends:?}");
    two_signals(setting)
}

/// The reader of the page stalls: this is shown, and portbind ends soon after a signal.
pub(in crate::checks) fn stalled_page(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ends = Vec::new();
    while ends.len() < TRIES && ends.last().is_none_or(|took| *took > END) {
        let Stalled { run, pipe, .. } = Stalled::start(setting, "report")?;
        let begin = Instant::now();
        let ended = run.stop(Signal::TERM)?;
        ends.push(begin.elapsed());
        drop(pipe);
        ensure!(ended.status.code() == Some(0), "{}", ended.status);
        let said = ended.stderr.iter().filter(|line| line.contains("the page is not complete")).count();
        ensure!(said == 1, "it is not said once: {:?}", ended.stderr);
    }
    ensure!(ends.last().is_some_and(|took| *took <= END), "the end took {ends:?}");
    Ok(())
}

/// A run whose command has ended, and the pipe of its recording or page.
struct Stalled {
    run: Tracer,
    pipe: File,
    _place: Scratch,
    _contested: ContestedPort,
}

impl Stalled {
    fn start(setting: Setting<'_>, option: &str) -> anyhow::Result<Self> {
        let contested = ContestedPort::new(Protocol::Tcp)?;
        let place = Scratch::new("stalled");
        mknodat(CWD, place.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        let pipe = open(place.path(), OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        // Less than a page has.
        fcntl_setpipe_size(&pipe, 4096)?;
        let record = format!("--{option}={}", place.path().display());
        let subject =
            ["mayflies".to_owned(), contested.port.to_string(), PROCESSES.to_string(), EACH.to_string()];
        let run = Tracer::spawn(&mut wrapped(setting, &[&record, "--ci", "none"], subject)?)?;
        ensure!(run.stdout.wait(SOON, |lines| lines.iter().any(|line| line == "done")), "it does not end");
        // Until the command has ended, a signal is its own.
        sleep(Duration::from_millis(500));
        Ok(Self { run, pipe: pipe.into(), _place: place, _contested: contested })
    }
}

fn one_signal(setting: Setting<'_>) -> anyhow::Result<Duration> {
    let Stalled { run, mut pipe, .. } = Stalled::start(setting, "record")?;
    let begin = Instant::now();
    let ended = run.stop(Signal::TERM)?;
    let took = begin.elapsed();
    ensure!(ended.status.code() == Some(0), "{}", ended.status);
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes)?;
    let recorded = String::from_utf8_lossy(&bytes).matches("\"kind\":\"refusal\"").count() as u64;
    let total = total(&ended)?;
    ensure!(total == PROCESSES * EACH, "{total} of {}: {:?}", PROCESSES * EACH, ended.stderr);
    let said: Vec<&String> =
        ended.stderr.iter().filter(|line| line.contains("the recording is not complete")).collect();
    ensure!(said.len() == 1, "it is not said once: {:?}", ended.stderr);
    let missing = said[0].split_once("nobody read ").and_then(|(_, rest)| rest.split(' ').next());
    let missing: u64 = missing.with_context(|| format!("no number: {said:?}"))?.parse()?;
    // The last line in the pipe can be a part of one that nobody read.
    let all = missing + recorded;
    ensure!(all == total || all == total + 1, "{recorded} are recorded, and {missing} are not, of {total}");
    Ok(took)
}

fn two_signals(setting: Setting<'_>) -> anyhow::Result<()> {
    let Stalled { run, pipe, .. } = Stalled::start(setting, "record")?;
    run.signal(Signal::TERM)?;
    sleep(Duration::from_millis(100));
    let begin = Instant::now();
    let ended = run.stop(Signal::INT)?;
    let took = begin.elapsed();
    drop(pipe);
    ensure!(took < AT_ONCE && ended.status.signal() == Some(2), "{} after {took:?}", ended.status);
    Ok(())
}
