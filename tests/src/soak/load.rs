//! The load: short-lived processes, most of which have refused binds, and each of which prints their number.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::kinds;
use super::process::{Held, Kind, process};

/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(60);
/// Pause between two bursts.
const BURSTS: Duration = Duration::from_secs(30);
/// Refusals of a burst.
const BURST: u32 = 20_000;
/// Processes of a swarm, each of which is refused once.
const SWARM: u32 = 40;
/// The most recent pid in this pid namespace (pid_namespaces(7)).
const LAST_PID: &str = "/proc/sys/kernel/ns_last_pid";

/// Options of `portbind-tests soak-load`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Load {
    /// Duration in seconds.
    #[arg(long, value_name = "NUMBER")]
    seconds: u64,
    /// Seed of the load.
    #[arg(long, value_name = "NUMBER")]
    seed: u64,
}

/// Runs the load: prints `KIND PID COUNT` for each process, and `end`.
///
/// # Errors
///
/// If an expected refusal does not occur, or another one does.
pub fn run(options: Load) -> anyhow::Result<()> {
    let tcp = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let held = Held { tcp: tcp.local_addr()?.port(), udp: udp.local_addr()?.port() };
    let (begin, time) = (Instant::now(), Duration::from_secs(options.seconds));
    let (mut random, mut next_burst) = (options.seed.max(1), BURSTS / 2);
    while begin.elapsed() < time {
        // Xorshift (Marsaglia 2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let count = 1 + u32::try_from(random % 12)?;
        for kind in kinds::ALL {
            process(kind, &held, count)?;
        }
        kinds::come_and_go(&held, count)?;
        reuse_a_pid(&held)?;
        if random.is_multiple_of(16) {
            (0..SWARM).try_for_each(|_| process(&kinds::TCP, &held, 1).map(drop))?;
        }
        if begin.elapsed() > next_burst {
            next_burst += BURSTS;
            process(&Kind { name: "burst", ..kinds::TCP }, &held, BURST)?;
        }
        sleep(PAUSE);
    }
    println!("end");
    Ok(())
}

/// A process is refused and ends, and the next one gets its pid, unless another program is faster.
fn reuse_a_pid(held: &Held) -> anyhow::Result<()> {
    let kind = Kind { name: "pid-reuse", ..kinds::TCP };
    let first = process(&kind, held, 1)?;
    let before = first.as_raw_nonzero().get() - 1;
    fs::write(LAST_PID, before.to_string()).context("the last pid cannot be set")?;
    if process(&kind, held, 2)? == first {
        println!("reused");
    }
    Ok(())
}
