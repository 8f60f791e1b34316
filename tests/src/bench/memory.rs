//! Measures the memory of a tracer.

use std::time::Duration;

use clap::Args;

use super::load::{Load, Taken};
use super::tool::{Tool, Watched};
use super::words::{Words, word};

/// Pause between refusals, so that none is lost.
const PAUSE: Duration = Duration::from_micros(200);
/// Time until a tracer's start-up work is done.
const SETTLED: Duration = Duration::from_secs(1);
/// After this time without a line, no more are expected.
const SILENCE: Duration = Duration::from_secs(2);

/// The measurement's parameters.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Refusals.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    events: u32,
    #[command(flatten)]
    watched: Watched,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Words> {
    let taken = Taken::new(Load { on_port: 1, listeners: 0 })?;
    let tool = Tool::ready(&options.watched, None)?;
    std::thread::sleep(SETTLED);
    let idle = tool.most_memory()?;
    let mut shown = 0_u32;
    let is_event = |text: &str| u32::from(options.watched.tells(text, taken.port));
    for _ in 0..options.events {
        taken.refuse()?;
        std::thread::sleep(PAUSE);
        shown += tool.lines.try_iter().map(|line| is_event(&line.text)).sum::<u32>();
    }
    while tool.next_event(&options.watched, taken.port, SILENCE).is_some() {
        shown += 1;
    }
    let after = tool.most_memory()?;
    tool.stop()?;
    Ok(vec![word("idle_kib", idle), word("after_kib", after), word("shown", f64::from(shown))])
}
