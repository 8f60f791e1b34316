//! The soak: portbind traces for minutes or hours while processes come and go, and every refusal has to be
//! accounted for.
//!
//! Load and portbind are in a network namespace of their own, and `--netns` leaves out whatever else happens on the
//! machine: what is not filtered is the load's.

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

/// Between two looks at portbind.
const LOOK: Duration = Duration::from_secs(1);
/// How long portbind is stopped, and the clock is wrong.
const STOPPED: Duration = Duration::from_secs(5);
/// How long portbind may take to write what the load has left.
const DRAIN: Duration = Duration::from_secs(60);
/// Looks after which a refusal has to be shown or counted in the output, the time that portbind is stopped included.
const LATE: usize = 20;
/// How far the clock is set, in seconds.
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
    /// How long the load goes on.
    #[arg(long, value_name = "NUMBER", default_value_t = 10.0)]
    minutes: f64,
    /// From what the load follows.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Also set the clock of the machine forward by an hour and back; only for a virtual machine.
    #[arg(long)]
    clock_steps: bool,
}

/// Runs load and portbind, and prints what was measured; whether everything held.
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
        told: Reported::open(output.path())?,
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
    soak.told.read()?;
    let file = fs::metadata(output.path())?.len();
    let Soak { ordered, told, samples, late, .. } = soak;
    let verdict = Verdict { ordered, told, samples, last, file, late };
    verdict.report(&ended)
}

/// A soak under way.
struct Soak {
    told: Reported,
    ordered: Ordered,
    samples: Vec<Sample>,
    /// What the load had been refused at each look.
    refused: Vec<u64>,
    /// The most refusals that were not told so many looks later.
    late: u64,
    begin: Instant,
}

impl Soak {
    /// Looks at portbind each second until the load has ended; stops it for a while in the middle.
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
            self.told.read()?;
            self.refused.push(self.ordered.refused());
            let earlier = self.refused.iter().rev().nth(LATE).copied().unwrap_or(0);
            self.late = self.late.max(earlier.saturating_sub(self.told.all()));
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
        let (refused, told) = (self.ordered.refused(), self.told.all());
        let sample = self.samples.last().copied().unwrap_or_default();
        println!("minute {minute}: {refused} refused, {told} told, {sample}");
    }

    /// Waits until everything is written, or for as long as that may take: what is lost is never written.
    fn drain(&mut self) -> anyhow::Result<()> {
        let begin = Instant::now();
        while self.told.all() < self.ordered.refused() && begin.elapsed() < DRAIN {
            sleep(LOOK);
            self.told.read()?;
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

/// The lines of the load, which a thread reads.
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
