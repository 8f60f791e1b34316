//! The soak: portbind traces for minutes or hours while processes come and go, and every refusal must be accounted for.
//!
//! The load and portbind are in a separate network namespace, and `--netns` excludes all other refusals on the machine:
//! every refusal that is not filtered belongs to the load.

mod kinds;
mod load;
mod process;
mod sample;
mod tally;
mod verdict;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

use crate::scratch::Scratch;
use crate::sys::net::new_namespace;
use crate::tracer::Tracer;

pub use load::{Load, run as load};
use sample::Sample;
use tally::{Ordered, Reported};
use verdict::Verdict;

/// Interval at which portbind is sampled.
const LOOK: Duration = Duration::from_secs(1);
/// How long portbind is stopped, and how long the clock is wrong.
const STOPPED: Duration = Duration::from_secs(5);
/// How long portbind may take to write the load's remaining refusals.
const DRAIN: Duration = Duration::from_secs(60);
/// Samples within which a refusal must be shown or counted, including the time for which portbind is stopped.
const LATE: usize = 20;
/// Size of the clock step in seconds.
const STEP: i64 = 3600;

/// Options of `portbind-tests soak`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The portbind under test.
    #[arg(long, value_name = "PATH")]
    portbind: PathBuf,
    /// The backend.
    #[arg(long, value_name = "NAME", default_value = "tracepoint")]
    backend: String,
    /// Duration of the load.
    #[arg(long, value_name = "NUMBER", default_value_t = 10.0)]
    minutes: f64,
    /// Seed of the load.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Also set the machine's clock forward by an hour and back; only for a virtual machine.
    #[arg(long)]
    clock_steps: bool,
}

/// Runs load and portbind, and prints the measurements; returns whether all conditions held.
///
/// # Errors
///
/// If load or portbind cannot be run.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let time = Duration::try_from_secs_f64(options.minutes * 60.0).context("no number of minutes")?;
    new_namespace().context("no network namespace")?;
    let output = Scratch::new("soak.jsonl");
    let mut command = Command::new(&options.portbind);
    command.args(["trace", "--backend", &options.backend, "-o", "json", "--output"]).arg(output.path());
    command.args(["--netns", &format!("pid:{}", std::process::id())]);
    let tracer = Tracer::spawn(&mut command)?;
    tracer.armed()?;
    let mut soak = Soak {
        shown: Reported::open(output.path())?,
        ordered: Ordered::default(),
        samples: vec![Sample::take(tracer.pid())?],
        refused: Vec::new(),
        late: 0,
        begin: Instant::now(),
    };
    soak.watch(&tracer, options, time)?;
    soak.drain()?;
    let last = Sample::take(tracer.pid())?;
    let ended = tracer.stop(Signal::INT)?;
    soak.shown.read()?;
    let file = fs::metadata(output.path())?.len();
    let Soak { ordered, shown, samples, late, .. } = soak;
    let verdict = Verdict { ordered, reported: shown, samples, last, file, late };
    verdict.report(&ended)
}

/// A running soak.
struct Soak {
    shown: Reported,
    ordered: Ordered,
    samples: Vec<Sample>,
    /// The number of the load's refusals at each sample.
    refused: Vec<u64>,
    /// The most refusals that were not reported [`LATE`] samples later.
    late: u64,
    begin: Instant,
}

impl Soak {
    /// Samples portbind each second until the load has ended; stops portbind for a while in the middle.
    fn watch(&mut self, tracer: &Tracer, options: &Options, time: Duration) -> anyhow::Result<()> {
        let mut load = start(time, options.seed)?;
        let lines = listen(&mut load)?;
        let (mut to_stop, mut to_step, mut minute) = (true, options.clock_steps, 0);
        while !self.ordered.is_complete {
            sleep(LOOK);
            lines.try_iter().try_for_each(|line| self.ordered.read(&line))?;
            ensure!(
                self.ordered.is_complete || load.try_wait()?.is_none_or(|status| status.success()),
                "the load failed"
            );
            self.shown.read()?;
            self.refused.push(self.ordered.refused());
            let earlier = self.refused.iter().rev().nth(LATE).copied().unwrap_or(0);
            self.late = self.late.max(earlier.saturating_sub(self.shown.all()));
            self.samples.push(Sample::take(tracer.pid())?);
            let elapsed = self.begin.elapsed();
            if to_stop && elapsed > time / 3 {
                to_stop = false;
                tracer.pause()?;
                sleep(STOPPED);
                tracer.signal(Signal::CONT)?;
            }
            if to_step && elapsed > time * 2 / 3 {
                to_step = false;
                step_clock(STEP)?;
                sleep(STOPPED);
                step_clock(-STEP)?;
            }
            if elapsed.as_secs() / 60 > minute {
                minute = elapsed.as_secs() / 60;
                self.progress(minute);
            }
        }
        ensure!(load.wait()?.success(), "the load failed");
        Ok(())
    }

    fn progress(&self, minute: u64) {
        let (refused, shown) = (self.ordered.refused(), self.shown.all());
        let sample = self.samples.last().copied().unwrap_or_default();
        println!("minute {minute}: {refused} refused, {shown} shown, {sample}");
    }

    /// Waits until everything is written, with a time limit: lost refusals are never written.
    fn drain(&mut self) -> anyhow::Result<()> {
        let begin = Instant::now();
        while self.shown.all() < self.ordered.refused() && begin.elapsed() < DRAIN {
            sleep(LOOK);
            self.shown.read()?;
        }
        Ok(())
    }
}

/// Starts the load, in the namespace of this thread.
fn start(time: Duration, seed: u64) -> anyhow::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["soak-load", "--seconds", &time.as_secs().to_string(), "--seed", &seed.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the load cannot be started")
}

/// The lines of the load, read by a thread.
fn listen(load: &mut Child) -> anyhow::Result<std::sync::mpsc::Receiver<String>> {
    let output = load.stdout.take().context("the load has no output")?;
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    Ok(lines)
}

/// Sets the clock of the machine.
fn step_clock(seconds: i64) -> anyhow::Result<()> {
    let now = clock_gettime(ClockId::Realtime);
    let then = Timespec { tv_sec: now.tv_sec + seconds, ..now };
    clock_settime(ClockId::Realtime, then).context("the clock cannot be set")
}
