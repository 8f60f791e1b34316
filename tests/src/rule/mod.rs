//! The bind rule against the running kernel: random sockets are really bound to one port, and the
//! kernel's answer to each call must be the one that `portbind::diagnosis::rule` gives.
//!
//! A pair is a holder (or some more) and a socket that asks for its port. Each pair follows from the seed and
//! its number alone, so that one of them can be played again.

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

/// What is played unless told otherwise.
const PAIRS: u64 = 20_000;
const SEED: u64 = 1;
/// Pairs in one network namespace: fewer than it has TIME_WAIT sockets.
const PAIRS_OF_A_NAMESPACE: u64 = 3000;
/// The port of the first pair of a namespace; the last one's is below the ephemeral range.
const FIRST_PORT: u16 = 2000;

/// What to play.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// How many pairs of sockets.
    #[arg(long, value_name = "NUMBER", default_value_t = PAIRS)]
    pub pairs: u64,
    /// From what the pairs follow.
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

/// Plays the pairs in network namespaces of their own, prints the counts and each disagreement, and
/// returns how many of these there were.
///
/// # Errors
///
/// If a namespace cannot be made, or a call fails that no rule is about.
pub fn run(options: Options) -> anyhow::Result<u64> {
    // Namespace and owner of new sockets belong to the thread, which ends with them.
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
