//! Measures the time from a refused bind until its line can be read.

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;

use super::load::{Load, Taken};
use super::stats::{micros, quantile};
use super::tool::{Tool, Watched};
use super::words::{Words, word};

/// After this time without a line, no more are expected.
const SILENCE: Duration = Duration::from_secs(5);

/// The measurement's parameters.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Refusals.
    #[arg(long, value_name = "NUMBER", default_value_t = 2_000)]
    count: u32,
    /// Microseconds from a line to the next refusal.
    #[arg(long, value_name = "US", default_value_t = 1_000)]
    gap: u64,
    /// Milliseconds from the tracer's ready line to the first refusal.
    #[arg(long, value_name = "MS", default_value_t = 500)]
    settle: u64,
    /// All refusals at once.
    #[arg(long)]
    burst: bool,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    watched: Watched,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Words> {
    let taken = Taken::new(options.load)?;
    let tool = Tool::ready(&options.watched, None)?;
    std::thread::sleep(Duration::from_millis(options.settle));
    let mut times = Vec::new();
    if options.burst {
        let begun = Instant::now();
        for _ in 0..options.count {
            taken.refuse()?;
        }
        while let Some(line) = tool.next_event(&options.watched, taken.port, SILENCE) {
            times.push(micros(line.time.duration_since(begun)));
        }
    } else {
        for _ in 0..options.count {
            let begun = Instant::now();
            taken.refuse()?;
            let Some(line) = tool.next_event(&options.watched, taken.port, SILENCE) else { break };
            times.push(micros(line.time.duration_since(begun)));
            std::thread::sleep(Duration::from_micros(options.gap));
        }
    }
    tool.stop()?;
    ensure!(!times.is_empty(), "no refusal was shown");
    let shown = u32::try_from(times.len())?;
    let at = |times: &mut Vec<f64>, share| quantile(times, share);
    Ok(vec![
        word("p50_us", at(&mut times, 0.5)),
        word("p99_us", at(&mut times, 0.99)),
        word("least_us", at(&mut times, 0.0)),
        word("most_us", at(&mut times, 1.0)),
        word("shown", f64::from(shown)),
    ])
}
