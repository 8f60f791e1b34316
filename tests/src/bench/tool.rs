//! The tracer that is measured: portbind or another tool.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long a tracer may take to be ready; one that compiles its programs takes minutes under emulation.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a tracer may take to end.
const GRACE: Duration = Duration::from_secs(60);
/// Interval after which a tracer is signalled again: bpftrace notices only a signal that interrupts its wait.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The tracer, and how to read its output.
#[derive(Args, Clone, Debug)]
pub struct Watched {
    /// Text in the line that reports that the tracer is ready.
    #[arg(long, value_name = "TEXT", default_value = "tracing with")]
    pub ready: String,
    /// Text in every line that reports a refusal.
    #[arg(long, value_name = "TEXT", default_value = r#""kind":"refusal""#)]
    pub event: String,
    /// Connect standard output to a terminal: other tools flush whole lines only there.
    #[arg(long)]
    pub terminal: bool,
    /// The tracer and its arguments.
    #[arg(last = true)]
    pub command: Vec<OsString>,
}

impl Watched {
    /// Whether a line reports a refusal of this port. Only JSON always contains the port: bindsnoop prints 0.
    pub(super) fn tells(&self, line: &str, port: u16) -> bool {
        line.contains(&self.event) && (!line.starts_with('{') || names(line, port))
    }
}

/// Whether a line contains a colon and this port.
pub(super) fn names(line: &str, port: u16) -> bool {
    line.split(&format!(":{port}")).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A line, and the time at which it could be read.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) time: Instant,
    pub(super) text: String,
}

/// How fast the output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Bytes per read.
    pub(super) bytes: usize,
    /// Pause after each read.
    pub(super) pause: Duration,
}

/// A running tracer.
#[derive(Debug)]
pub(super) struct Tool {
    process: Child,
    pub(super) begun: Instant,
    pub(super) lines: Receiver<Line>,
}

impl Tool {
    /// Starts the tracer.
    pub(super) fn start(watched: &Watched, pace: Option<Pace>) -> anyhow::Result<Self> {
        let (program, arguments) = watched.command.split_first().context("no tracer is given")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
        let terminal = if watched.terminal { Some(terminal(&mut command)?) } else { None };
        if terminal.is_none() {
            command.stdout(Stdio::piped());
        }
        let begun = Instant::now();
        let mut process = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        // The command holds a copy of the terminal's other end, which would keep the terminal open.
        drop(command);
        let (sender, lines) = channel();
        let stderr = process.stderr.take().context("no standard error")?;
        listen(stderr, sender.clone(), None);
        match (terminal, process.stdout.take()) {
            (Some(terminal), _) => listen(fs::File::from(terminal), sender, pace),
            (None, Some(stdout)) => listen(stdout, sender, pace),
            (None, None) => bail!("no standard output"),
        }
        Ok(Self { process, begun, lines })
    }

    /// Starts the tracer and waits until it is ready.
    pub(super) fn ready(watched: &Watched, pace: Option<Pace>) -> anyhow::Result<Self> {
        let tool = Self::start(watched, pace)?;
        let mut said = Vec::new();
        while let Ok(line) = tool.lines.recv_timeout(PATIENCE) {
            if line.text.contains(&watched.ready) {
                return Ok(tool);
            }
            said.push(line.text);
        }
        bail!("{:?} does not get ready:\n{}", watched.command, said.join("\n"));
    }

    /// The pid of the tracer.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The maximum memory of the tracer in KiB.
    pub(super) fn most_memory(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Waits for a line that reports a refusal of this port.
    pub(super) fn next_event(&self, watched: &Watched, port: u16, patience: Duration) -> Option<Line> {
        let until = Instant::now() + patience;
        loop {
            let line = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
            if watched.tells(&line.text, port) {
                return Some(line);
            }
        }
    }

    /// Ends the tracer, and returns the lines that were not read.
    pub(super) fn stop(mut self) -> anyhow::Result<Vec<Line>> {
        let begun = Instant::now();
        let mut lines = Vec::new();
        let mut asked = None::<Instant>;
        loop {
            if asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN) {
                kill_process(Pid::from_child(&self.process), Signal::INT)?;
                asked = Some(Instant::now());
            }
            match self.lines.recv_timeout(ASK_AGAIN) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < GRACE => {}
                Err(RecvTimeoutError::Timeout) => bail!("the tracer does not end"),
            }
        }
        self.process.wait()?;
        Ok(lines)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _killed = self.process.kill();
            let _status = self.process.wait();
        }
    }
}

/// Connects a command's output to a terminal, and returns the other end.
fn terminal(command: &mut Command) -> anyhow::Result<OwnedFd> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = rustix::fs::open(
        ptsname(&ours, Vec::new())?.as_c_str(),
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    command.stdout(theirs);
    Ok(ours)
}

/// Reads a stream to its end, which a terminal reports as an error.
fn listen(stream: impl Read + Send + 'static, sender: Sender<Line>, pace: Option<Pace>) {
    std::thread::spawn(move || match pace {
        None => relay(BufReader::new(stream), &sender),
        Some(pace) => relay(BufReader::with_capacity(pace.bytes, Paced { stream, pace }), &sender),
    });
}

fn relay(mut stream: impl BufRead, sender: &Sender<Line>) {
    let mut bytes = Vec::new();
    while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        let time = Instant::now();
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if sender.send(Line { time, text }).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// A reader with pauses.
struct Paced<R> {
    stream: R,
    pace: Pace,
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        std::thread::sleep(self.pace.pause);
        self.stream.read(buffer)
    }
}
