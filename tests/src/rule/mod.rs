//! Compares the bind rule with the running kernel: binds random sockets to one port, and the kernel's result of each
//! call must match `portbind::diagnosis::rule`.
//!
//! A pair is a holder (or several) and a socket that requests its port. Each pair depends only on the seed and its
//! number, so that a single pair can be played again.

mod ask;
mod hold;
mod plan;
mod random;
mod sockets;
mod tally;
mod world;

use std::thread;

use anyhow::{Context as _, anyhow};
use portbind::diagnosis::rule::Generation;

use plan::Plan;
use tally::Tally;
use world::World;

/// Default number of pairs.
const PAIRS: u64 = 20_000;
const SEED: u64 = 1;
/// Pairs per network namespace: fewer than its limit of TIME_WAIT sockets.
const PAIRS_OF_A_NAMESPACE: u64 = 3000;
/// The port of the first pair in a namespace; the last pair's port is below the ephemeral range.
const FIRST_PORT: u16 = 2000;

/// The pairs to play.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// How many pairs of sockets.
    #[arg(long, value_name = "NUMBER", default_value_t = PAIRS)]
    pub pairs: u64,
    /// The seed of the pairs.
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    pub seed: u64,
    /// The number of the first pair.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub first: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { pairs: PAIRS, seed: SEED, first: 0 }
    }
}

/// Plays the pairs in separate network namespaces, prints the counts and each disagreement, and returns the number of
/// disagreements.
///
/// # Errors
///
/// If a namespace cannot be created, or a call fails in a way that no rule covers.
pub fn run(options: Options) -> anyhow::Result<u64> {
    // The namespace and the owner of new sockets belong to the thread, which ends with the test.
    let played = thread::spawn(move || play(options));
    played.join().map_err(|_| anyhow!("the thread that binds panicked"))?
}

fn play(options: Options) -> anyhow::Result<u64> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let generation =
        Generation::of_release(&release).with_context(|| format!("{release} is no release of Linux"))?;
    let mut tally = Tally::default();
    let mut world = None;
    for number in options.first..options.first.saturating_add(options.pairs) {
        let (namespace, place) = (number / PAIRS_OF_A_NAMESPACE, number % PAIRS_OF_A_NAMESPACE);
        if place == 0 || world.is_none() {
            world = Some(World::new(namespace).context("cannot make a network namespace")?);
        }
        let world = world.as_ref().context("there is no network namespace")?;
        let port = FIRST_PORT + u16::try_from(place)?;
        let plan = Plan::random(options.seed, number);
        let answers = ask::play(generation, world, &plan, port)
            .with_context(|| format!("seed {} pair {number} is broken: {plan}", options.seed))?;
        tally.add(&answers, || format!("seed {} pair {number}: {plan}", options.seed));
    }
    tally.print(&release, options.pairs);
    Ok(tally.disagreements)
}
