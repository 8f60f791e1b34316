//! System calls in a loop.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rustix::process::getppid;

use super::load::{Load, Taken, bind_to, tcp};
use super::stats::quantile;
use super::tool::{Tool, Watched};
use super::{Words, word};
use crate::ports::Ports;

/// Blocks of calls; the median block counts, so that an interruption does not.
const BLOCKS: u32 = 16;
/// Sockets that are bound in one block.
const SOCKETS: u32 = 64;
/// Until an idle tracer has done what it does at its start.
const SETTLED: Duration = Duration::from_millis(500);
/// Setting of the kernel by which it measures programs.
const STATS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// What is measured.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A call; may be given several times.
    #[arg(long, value_enum, value_name = "CALL")]
    call: Vec<Call>,
    /// Calls of each kind.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    count: u32,
    /// Have the kernel measure the programs of the tracer, which makes the calls themselves slower.
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
    /// A byte to /dev/null, and none from there.
    Null,
    /// A bind that succeeds, to a port; the socket is closed afterwards.
    Bind,
    /// A bind that is refused.
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
        let spent = |tool: Option<&Tool>| tool.map_or(Ok(0), |tool| time_in_programs(tool.pid()));
        let before = spent(tool)?;
        let (ns, calls) = call.repeat(options.count, taken, free)?;
        // A tracer may have ended programs meanwhile: less than before is nothing.
        let inside = spent(tool)?.saturating_sub(before);
        words.push(word(&format!("{name}_ns"), ns));
        if options.stats {
            let inside = Duration::from_nanos(inside).as_secs_f64() * 1e9;
            words.push(word(&format!("{name}_program_ns"), inside / f64::from(calls)));
        }
        // The tracer's output is nobody's: it must not pile up.
        if let Some(tool) = tool {
            tool.lines.try_iter().for_each(drop);
        }
    }
    Ok(words)
}

impl Call {
    /// Nanoseconds a call, and how many there were.
    fn repeat(self, count: u32, taken: &Taken, free: &[u16]) -> anyhow::Result<(f64, u32)> {
        let block = (count / BLOCKS).max(1);
        let mut times = Vec::new();
        let mut calls = 0;
        let (mut sink, mut source) = (File::create("/dev/null")?, File::open("/dev/null")?);
        while calls < count {
            let (time, made) = match self {
                Self::Getppid => timed(block, |_| {
                    std::hint::black_box(getppid());
                    Ok(())
                })?,
                Self::Null => timed(block, |_| {
                    sink.write_all(b"x")?;
                    let _end = source.read(&mut [0; 1])?;
                    Ok(())
                })?,
                Self::Refused => timed(block, |_| taken.refuse())?,
                Self::Bind => {
                    let sockets = free.iter().map(|_| tcp()).collect::<anyhow::Result<Vec<_>>>()?;
                    timed(SOCKETS, |index| {
                        let index = index as usize;
                        sockets
                            .get(index)
                            .zip(free.get(index))
                            .map_or(Ok(()), |(fd, port)| bind_to(fd, *port))
                    })?
                }
            };
            calls += made;
            times.push(time.as_secs_f64() * 1e9 / f64::from(made));
        }
        Ok((quantile(&mut times, 0.5), calls))
    }
}

/// Makes so many calls.
fn timed(count: u32, mut call: impl FnMut(u32) -> anyhow::Result<()>) -> anyhow::Result<(Duration, u32)> {
    let begun = Instant::now();
    for index in 0..count {
        call(index)?;
    }
    Ok((begun.elapsed(), count))
}

/// Nanoseconds that the programs of a process have run, by the kernel's own count.
fn time_in_programs(pid: u32) -> anyhow::Result<u64> {
    let mut seen = Vec::new();
    let mut sum = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor that was closed meanwhile is none.
        let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
        let Some((program, time)) = run_time(&text) else { continue };
        if !seen.contains(&program) {
            seen.push(program);
            sum += time;
        }
    }
    Ok(sum)
}

/// Number and run time of the program that a file of `/proc/PID/fdinfo` is about.
fn run_time(text: &str) -> Option<(u32, u64)> {
    let field =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Some((u32::try_from(field("prog_id:")?).ok()?, field("run_time_ns:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_links() {
        let program = "pos:\t0\nprog_type:\t17\nprog_id:\t12\nrun_time_ns:\t3400\nrun_cnt:\t2\n";
        assert_eq!(run_time(program), Some((12, 3400)));
        assert_eq!(run_time("pos:\t0\nlink_type:\ttracing\nprog_id:\t12\n"), None);
    }
}
