//! Measures system calls in a loop.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rustix::process::getppid;

use super::load::{Load, Taken, bind_to, tcp};
use super::stats::quantile;
use super::tool::{Tool, Watched};
use super::words::{Words, word};
use crate::ports::Ports;

/// Blocks of calls; the result is the median block, so that interruptions do not count.
const BLOCKS: u32 = 16;
/// Sockets bound per block.
const SOCKETS: u32 = 64;
/// Time until a tracer's start-up work is done.
const SETTLED: Duration = Duration::from_millis(500);
/// The sysctl that makes the kernel measure BPF programs.
const STATS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The measurement's parameters.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A call; may be given several times.
    #[arg(long, value_enum, value_name = "CALL")]
    call: Vec<Call>,
    /// Number of calls of each kind.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    count: u32,
    /// Make the kernel measure the tracer's programs, which slows down the calls themselves.
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    watched: Watched,
}

/// A call that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Call {
    /// A call that does nothing.
    Getppid,
    /// Writes a byte to /dev/null, and reads from it.
    Null,
    /// A bind that succeeds, to a port.
    Bind,
    /// The close of a bound socket.
    Close,
    /// A refused bind.
    Refused,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Words> {
    let taken = Taken::new(options.load)?;
    let mut ports = Ports::new();
    let free = (0..SOCKETS).map(|_| ports.take()).collect::<anyhow::Result<Vec<u16>>>()?;
    let tool = if options.watched.command.is_empty() {
        None
    } else {
        let tool = Tool::ready(&options.watched, None)?;
        std::thread::sleep(SETTLED);
        Some(tool)
    };
    let before = fs::read_to_string(STATS)?;
    if options.stats {
        fs::write(STATS, "1").context("cannot have programs measured")?;
    }
    let words = measure(options, &taken, &free, tool.as_ref());
    if options.stats {
        fs::write(STATS, before)?;
    }
    if let Some(tool) = tool {
        tool.stop()?;
    }
    words
}

fn measure(options: &Options, taken: &Taken, free: &[u16], tool: Option<&Tool>) -> anyhow::Result<Words> {
    let mut words = Words::new();
    for call in &options.call {
        let name = call.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let watched = tool.filter(|_| options.stats).map(Tool::pid);
        let measured = call.repeat(options.count, &Sockets { taken, free }, watched)?;
        words.push(word(&format!("{name}_ns"), measured.time_ns));
        if options.stats {
            words.push(word(&format!("{name}_program_ns"), measured.program_ns));
        }
        // The tracer's output is discarded, so that it does not accumulate.
        if let Some(tool) = tool {
            tool.lines.try_iter().for_each(drop);
        }
    }
    Ok(words)
}

/// The descriptors that the calls use.
struct Sockets<'a> {
    taken: &'a Taken,
    free: &'a [u16],
}

impl Sockets<'_> {
    /// One socket per port.
    fn new_ones(&self) -> anyhow::Result<Vec<OwnedFd>> {
        self.free.iter().map(|_| tcp()).collect()
    }

    fn bind(&self, sockets: &[OwnedFd]) -> anyhow::Result<()> {
        sockets.iter().zip(self.free).try_for_each(|(socket, port)| bind_to(socket, *port))
    }
}

/// The cost of one call.
struct Measured {
    /// Total time: the median of the blocks.
    time_ns: f64,
    /// Time in BPF programs.
    program_ns: f64,
}

impl Call {
    /// Makes this many calls; `watched` is the process whose programs are measured.
    fn repeat(self, count: u32, on: &Sockets<'_>, watched: Option<u32>) -> anyhow::Result<Measured> {
        let size = match self {
            Self::Bind | Self::Close => SOCKETS,
            Self::Getppid | Self::Null | Self::Refused => (count / BLOCKS).max(1),
        };
        let (mut times, mut inside, mut calls) = (Vec::new(), 0, 0);
        while calls < count {
            let block = self.block(size, on, watched)?;
            times.push(block.0.as_secs_f64() * 1e9 / f64::from(size));
            inside += block.1;
            calls += size;
        }
        let inside = Duration::from_nanos(inside).as_secs_f64() * 1e9;
        Ok(Measured { time_ns: quantile(&mut times, 0.5), program_ns: inside / f64::from(calls) })
    }

    /// Makes a block of calls; returns its duration, and the nanoseconds of it in BPF programs.
    fn block(self, size: u32, on: &Sockets<'_>, watched: Option<u32>) -> anyhow::Result<(Duration, u64)> {
        match self {
            Self::Getppid => timed(watched, || {
                for _ in 0..size {
                    std::hint::black_box(getppid());
                }
                Ok(())
            }),
            Self::Null => {
                let (mut sink, mut source) = (File::create("/dev/null")?, File::open("/dev/null")?);
                timed(watched, || {
                    for _ in 0..size {
                        sink.write_all(b"x")?;
                        let _end = source.read(&mut [0; 1])?;
                    }
                    Ok(())
                })
            }
            Self::Refused => timed(watched, || (0..size).try_for_each(|_| on.taken.refuse())),
            Self::Bind => {
                let sockets = on.new_ones()?;
                timed(watched, || on.bind(&sockets))
            }
            Self::Close => {
                let sockets = on.new_ones()?;
                on.bind(&sockets)?;
                timed(watched, || {
                    drop(sockets);
                    Ok(())
                })
            }
        }
    }
}

/// Measures the time of `calls`.
fn timed(
    watched: Option<u32>,
    calls: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<(Duration, u64)> {
    let spent = || watched.map_or(Ok(0), time_in_programs);
    let before = spent()?;
    let begun = Instant::now();
    calls()?;
    let elapsed = begun.elapsed();
    // A tracer may have closed programs meanwhile; a decrease counts as 0.
    Ok((elapsed, spent()?.saturating_sub(before)))
}

/// Total run time of a process's BPF programs in nanoseconds, as the kernel counts it.
fn time_in_programs(pid: u32) -> anyhow::Result<u64> {
    let mut seen = Vec::new();
    let mut sum = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor that was closed meanwhile is skipped.
        let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
        let Some((program, time)) = run_time(&text) else { continue };
        if !seen.contains(&program) {
            seen.push(program);
            sum += time;
        }
    }
    Ok(sum)
}

/// Id and run time of the program in a file of `/proc/PID/fdinfo`.
fn run_time(text: &str) -> Option<(u32, u64)> {
    let field =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Some((u32::try_from(field("prog_id:")?).ok()?, field("run_time_ns:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_links_are_distinct() {
        let program = "pos:\t0\nprog_type:\t17\nprog_id:\t12\nrun_time_ns:\t3400\nrun_cnt:\t2\n";
        assert_eq!(run_time(program), Some((12, 3400)));
        assert_eq!(run_time("pos:\t0\nlink_type:\ttracing\nprog_id:\t12\n"), None);
    }
}
