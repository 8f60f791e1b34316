//! One process is refused at the maximum rate, another one occasionally.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::load::{Load, Taken};
use super::stats::{micros, quantile};
use super::tool::{Line, Pace, Tool, Watched, names};
use super::words::{Words, word};
use crate::tracer::account;

/// Interval of the other process's refusals.
const NOW_AND_THEN: Duration = Duration::from_millis(50);
/// A reader that reads 200 KB per second.
const SLOW: Pace = Pace { bytes: 4096, pause: Duration::from_millis(20) };
/// Refusals between two reads of the clock.
const BLOCK: u32 = 64;
/// How long a tracer may take to report the remaining refusals.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The measurement's parameters.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How long the storm lasts.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// How the tracer's output is read.
    #[arg(long, value_enum, value_name = "READER", default_value_t = Reader::Fast)]
    reader: Reader,
    #[command(flatten)]
    watched: Watched,
}

/// How the tracer's output is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// At once.
    Fast,
    /// 4 KiB every 20 ms.
    Slow,
}

/// The other process.
#[derive(Args, Clone, Copy, Debug)]
pub struct Trickle {}

/// A running trickle.
struct Other {
    process: Child,
    port: u16,
}

impl Other {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["bench", "trickle"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the other process")?;
        let stdout = process.stdout.as_mut().context("no standard output")?;
        let mut line = String::new();
        // The process prints only this line before its input ends.
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.trim().strip_prefix("port=").context("no port")?.parse()?;
        Ok(Self { process, port })
    }

    /// Ends the trickle; returns the number of its refusals.
    fn end(mut self) -> anyhow::Result<f64> {
        drop(self.process.stdin.take());
        let mut text = String::new();
        self.process.stdout.take().context("no standard output")?.read_to_string(&mut text)?;
        self.process.wait()?;
        Ok(text.trim().strip_prefix("refused=").context("no number")?.parse()?)
    }
}

/// Waits for a byte before it starts, and ends with its input.
pub(super) fn trickle(_: &Trickle) -> anyhow::Result<Words> {
    let taken = Taken::new(Load { on_port: 1, listeners: 0 })?;
    println!("port={}", taken.port);
    let ended = AtomicBool::new(false);
    let mut refused = 0;
    thread::scope(|scope| -> anyhow::Result<()> {
        let mut input = std::io::stdin().lock();
        input.read_exact(&mut [0])?;
        drop(input);
        scope.spawn(|| {
            let _ended = std::io::stdin().read_to_end(&mut Vec::new());
            ended.store(true, Ordering::Relaxed);
        });
        while !ended.load(Ordering::Relaxed) {
            taken.refuse()?;
            refused += 1;
            thread::sleep(NOW_AND_THEN);
        }
        Ok(())
    })?;
    Ok(vec![word("refused", f64::from(refused))])
}

pub(super) fn run(options: &Options) -> anyhow::Result<Words> {
    let taken = Taken::new(Load { on_port: 1, listeners: 0 })?;
    let length = Duration::from_secs_f64(options.seconds);
    let (mut other, before) = (Other::start()?, storm(&taken, length / 4)?);
    let pace = (options.reader == Reader::Slow).then_some(SLOW);
    let tool = Tool::ready(&options.watched, pace)?;
    thread::sleep(CATCH_UP);
    std::io::Write::write_all(other.process.stdin.as_mut().context("no input")?, b"x")?;
    let port = other.port;
    let during = storm(&taken, length)?;
    let others = other.end()?;
    thread::sleep(CATCH_UP);
    let memory = tool.most_memory()?;
    let lines = tool.stop()?;
    let Some(sum) = lines.iter().find_map(|line| account(&line.text)) else {
        let last: Vec<&str> = lines.iter().rev().take(3).map(|line| line.text.as_str()).collect();
        bail!("there is no summary line: {last:?}")
    };
    let number = |value: u64| u32::try_from(value).map_or(f64::INFINITY, f64::from);
    let parts = number(sum.shown + sum.coalesced + sum.filtered + sum.lost);
    let expected = f64::from(during.refused) + others;
    Ok(vec![
        word("seconds", options.seconds),
        word("slowdown", during.ns / before.ns),
        word("alone_ns", before.ns),
        word("traced_ns", during.ns),
        word("p99_us", during.p99),
        word("expected", expected),
        word("refused", number(sum.refused)),
        word("shown", number(sum.shown)),
        word("coalesced", number(sum.coalesced)),
        word("filtered", number(sum.filtered)),
        word("lost", number(sum.lost)),
        word("unaccounted", expected - parts),
        word("memory_kib", memory),
        word("others", others),
        word("others_told", f64::from(times_shown(port, &lines, &options.watched))),
    ])
}

/// Number of lines that report a refusal of this port.
fn times_shown(port: u16, lines: &[Line], watched: &Watched) -> u32 {
    let is_it = |text: &str| text.contains(&watched.event) && names(text, port);
    let reported = lines.iter().filter(|line| is_it(&line.text)).count();
    u32::try_from(reported).unwrap_or(u32::MAX)
}

/// The storm, as its process measured it.
struct Storm {
    refused: u32,
    /// Nanoseconds per refusal.
    ns: f64,
    /// Microseconds per refusal, excluding the slowest blocks.
    p99: f64,
}

fn storm(taken: &Taken, length: Duration) -> anyhow::Result<Storm> {
    let begun = Instant::now();
    let mut refused = 0;
    let mut blocks = Vec::new();
    while begun.elapsed() < length {
        let block = Instant::now();
        for _ in 0..BLOCK {
            taken.refuse()?;
        }
        blocks.push(micros(block.elapsed()) / f64::from(BLOCK));
        refused += BLOCK;
    }
    let ns = begun.elapsed().as_secs_f64() * 1e9 / f64::from(refused);
    Ok(Storm { refused, ns, p99: quantile(&mut blocks, 0.99) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_port() {
        let watched =
            Watched { ready: String::new(), event: "refusal".to_owned(), terminal: false, command: vec![] };
        let line = |text: &str| Line { time: Instant::now(), text: text.to_owned() };
        let lines = [
            line(r#"{"kind":"refusal","port":8080,"x":1}"#),
            line(r#"{"kind":"refusal","port":80801,"x":1}"#),
            line(r#"{"kind":"release","port":8080}"#),
            line("a refusal of tcp 127.0.0.1:8080 here"),
        ];
        assert_eq!(times_shown(8080, &lines, &watched), 2);
    }
}
