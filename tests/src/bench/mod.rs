//! The measured loops of `cargo xtask bench`. Each prints one line of `name=number` words.

mod farm;
mod latency;
mod load;
mod loops;
mod memory;
mod start;
mod stats;
mod storm;
mod tool;
mod words;

use clap::Subcommand;

/// One measurement.
#[derive(Clone, Debug, Subcommand)]
pub enum Bench {
    /// How long a tracer takes from its start until it is ready, and until it reports a first refusal.
    Start(tool::Watched),
    /// The maximum memory of a tracer, idle and after refusals.
    Memory(memory::Options),
    /// How long system calls take, with and without a tracer.
    Loop(loops::Options),
    /// How long it takes from a refused bind until its line can be read.
    Latency(latency::Options),
    /// Refusals at the maximum rate.
    Storm(storm::Options),
    /// Refusals every few milliseconds until the input ends.
    #[command(hide = true)]
    Trickle(storm::Trickle),
    /// Many processes with many sockets, until the input ends.
    Farm(farm::Options),
}

/// Runs a measurement.
///
/// # Errors
/// If the measurement fails.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    let words = match bench {
        Bench::Start(options) => start::run(options)?,
        Bench::Memory(options) => memory::run(options)?,
        Bench::Loop(options) => loops::run(options)?,
        Bench::Latency(options) => latency::run(options)?,
        Bench::Storm(options) => storm::run(options)?,
        Bench::Trickle(options) => storm::trickle(options)?,
        Bench::Farm(options) => farm::run(options)?,
    };
    let words: Vec<String> = words.iter().map(|(name, number)| format!("{name}={number}")).collect();
    println!("{}", words.join(" "));
    Ok(())
}
