//! `cargo xtask ci`: every check and test; the cheapest ones come first.
//!
//! The compiler mostly uses a single processor, so the longest parts run in two parallel lanes.

use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use clap::{Args, ValueEnum};

use crate::limit::{self, Limit};
use crate::{causes, debug, dist, ebpf, fuzz, generate, setup, spelling, tool, vm, workspace};

/// Options of `cargo xtask ci`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// A step to skip; may be given several times.
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<Step>,
    /// Run this step only; may be given several times.
    #[arg(long, value_enum, value_name = "STEP", conflicts_with = "skip")]
    only: Vec<Step>,
}

/// A step of the run; the order here is the order of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Install what the other steps need.
    Setup,
    /// Formatting.
    Fmt,
    /// Spelling, in every tracked text file.
    Spelling,
    /// Lints.
    Clippy,
    /// The documentation of every crate, without a warning.
    Doc,
    /// The crates can be packaged for a registry.
    Package,
    /// Unit tests, properties, snapshots.
    Test,
    /// Ten seconds of fuzzing for each target.
    Fuzz,
    /// Every cause has its page and its scenario.
    Causes,
    /// Completions, man pages, docs/cli.md and docs/schema.json match the program.
    Generate,
    /// Rebuild the kernel half in another folder and compare.
    Ebpf,
    /// Build the programs of the steps below.
    Build,
    /// The release build, end to end on this machine's kernel.
    Native,
    /// The tarball and the Debian package, in a clean root.
    Dist,
    /// End to end on every kernel of the matrix.
    Vm,
}

/// The lanes of a stage run in parallel; stages run one after the other.
type Stage = &'static [&'static [Step]];

/// The whole run.
const STAGES: [Stage; 3] = [
    &[&[Step::Setup, Step::Fmt, Step::Spelling]],
    &[
        &[Step::Clippy, Step::Doc, Step::Package, Step::Test, Step::Fuzz, Step::Causes, Step::Generate],
        &[Step::Ebpf, Step::Build],
    ],
    &[&[Step::Native, Step::Dist, Step::Vm]],
];

/// Runs the chosen steps; stops at the first that fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    for stage in STAGES {
        thread::scope(|scope| {
            let lanes: Vec<_> = stage.iter().map(|lane| scope.spawn(|| options.lane(lane))).collect();
            lanes
                .into_iter()
                .try_for_each(|lane| lane.join().unwrap_or_else(|_| Err(Error::msg("a step panicked"))))
        })?;
    }
    println!("==> all steps: ok, {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

impl Options {
    /// Runs the chosen steps of a lane. A failure also ends the other lane, whose results would be useless.
    fn lane(&self, steps: &[Step]) -> Result<()> {
        for step in steps {
            let name = step.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            let is_chosen =
                if self.only.is_empty() { !self.skip.contains(step) } else { self.only.contains(step) };
            if !is_chosen {
                println!("==> {name}: left out");
                continue;
            }
            println!("==> {name}");
            let begun = Instant::now();
            let limit = Limit::new(&name, step.limit());
            if let Err(error) = step.run() {
                eprintln!(
                    "error: step `{name}` failed after {:.0} s: {error:#}",
                    begun.elapsed().as_secs_f64()
                );
                limit::end_children();
                process::exit(1);
            }
            drop(limit);
            let seconds = begun.elapsed().as_secs_f64();
            println!("==> {name}: ok, {seconds:.0} s (limit {} s)", step.limit().as_secs());
        }
        Ok(())
    }
}

impl Step {
    /// The time limit: about three times the duration on two processors with nothing built or fetched, next to the
    /// other lane.
    const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Setup | Self::Ebpf | Self::Fuzz => 600,
            Self::Fmt | Self::Spelling | Self::Package | Self::Causes => 60,
            Self::Doc | Self::Generate => 300,
            Self::Clippy | Self::Dist => 900,
            Self::Test | Self::Build => 1200,
            Self::Native => 1800,
            Self::Vm => 2700,
        })
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Setup => setup::run(&setup::Options {}),
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Spelling => spelling::check(),
            Self::Clippy => {
                cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])
            }
            Self::Doc => {
                let mut cmd = tool::cargo();
                cmd.current_dir(workspace::root()).args(["doc", "--workspace", "--no-deps", "--locked"]);
                tool::run(cmd.env("RUSTDOCFLAGS", "--deny warnings"))
            }
            // RELEASE.md covers the build of the packages, which takes minutes.
            Self::Package => cargo(&["package", "--workspace", "--no-verify", "--allow-dirty", "--locked"]),
            Self::Test => cargo(&["test", "--workspace", "--locked"]),
            Self::Fuzz => fuzz::run(&fuzz::Options::brief()),
            Self::Causes => causes::run(&causes::Options { check: true }),
            Self::Generate => generate::run(&generate::Options { check: true }),
            Self::Ebpf => ebpf::run(&ebpf::Options { check: true, elsewhere: true }),
            Self::Build => build(),
            Self::Native => native(),
            Self::Dist => dist::run(&dist::Options::default()),
            Self::Vm => vm::run(&vm::Options::everything()),
        }
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    // The run that checks snapshots must not rewrite them.
    tool::run(tool::cargo().current_dir(workspace::root()).args(arguments).env("CI", "true"))
}

/// Builds the programs for the steps below, so that these need not wait for the build.
fn build() -> Result<()> {
    dist::program()?;
    vm::programs()?;
    Ok(())
}

/// Runs the scenarios with the release build on the running kernel, with the backend that has the fewest requirements.
fn native() -> Result<()> {
    let portbind = dist::program()?;
    debug::build(&["portbind-tests"])?;
    let mut cmd = Command::new(debug::program("portbind-tests"));
    cmd.current_dir(workspace::root()).stdin(Stdio::null());
    cmd.arg("--portbind").arg(portbind).args(["--backend", "tracepoint"]);
    cmd.args(["--rule-pairs", &vm::RULE_PAIRS.to_string()]);
    tool::run(&mut cmd)
}
