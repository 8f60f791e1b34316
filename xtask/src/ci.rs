//! `cargo xtask ci`: every check and test, in the order in which they are cheapest to fail.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::limit::Limit;
use crate::{causes, dist, ebpf, fuzz, generate, setup, tool, vm, workspace};

/// Options of `cargo xtask ci`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// A step to leave out; may be given several times.
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<Step>,
    /// Run this step only; may be given several times.
    #[arg(long, value_enum, value_name = "STEP", conflicts_with = "skip")]
    only: Vec<Step>,
}

/// A step of the run; the order here is the order of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Install what the others need.
    Setup,
    /// Formatting.
    Fmt,
    /// Lints.
    Clippy,
    /// Unit tests, properties, snapshots.
    Test,
    /// Ten seconds of fuzzing for each target.
    Fuzz,
    /// Every cause has its page and its scenario.
    Causes,
    /// Completions, man pages, docs/cli.md and docs/schema.json are what the program gives.
    Generate,
    /// Rebuild the kernel half elsewhere and compare.
    Ebpf,
    /// The shipped binary, end to end on this machine's kernel.
    Native,
    /// The tarball and the Debian package, in a clean root.
    Dist,
    /// End to end on every kernel of the matrix.
    Vm,
}

/// Runs the chosen steps; stops at the first that fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    for step in Step::value_variants() {
        let chosen =
            if options.only.is_empty() { !options.skip.contains(step) } else { options.only.contains(step) };
        let name = step.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        if !chosen {
            println!("==> {name}: left out");
            continue;
        }
        println!("==> {name}");
        let begun = Instant::now();
        let limit = Limit::new(&name, step.limit());
        step.run()
            .with_context(|| format!("step `{name}` failed after {:.0} s", begun.elapsed().as_secs_f64()))?;
        drop(limit);
        let seconds = begun.elapsed().as_secs_f64();
        println!("==> {name}: ok, {seconds:.0} s (limit {} s)", step.limit().as_secs());
    }
    println!("==> all steps: ok, {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

impl Step {
    /// How long it may take: about three times what it takes on two processors with nothing built or fetched.
    const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Setup | Self::Ebpf | Self::Clippy | Self::Fuzz => 600,
            Self::Fmt | Self::Causes => 60,
            Self::Generate => 300,
            Self::Test | Self::Dist => 900,
            Self::Native => 1800,
            Self::Vm => 2700,
        })
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Setup => setup::run(&setup::Options {}),
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Clippy => {
                cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])
            }
            Self::Test => cargo(&["test", "--workspace", "--locked"]),
            Self::Fuzz => fuzz::run(&fuzz::Options::brief()),
            Self::Causes => causes::run(&causes::Options { check: true }),
            Self::Generate => generate::run(&generate::Options { check: true }),
            Self::Ebpf => ebpf::run(&ebpf::Options { check: true, elsewhere: true }),
            Self::Native => native(),
            Self::Dist => dist::run(&dist::Options::default()),
            Self::Vm => vm::run(&vm::Options::everything()),
        }
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    // Snapshots must not be rewritten by the run that checks them.
    tool::run(tool::cargo().current_dir(workspace::root()).args(arguments).env("CI", "true"))
}

/// Runs the scenarios with the shipped build on the running kernel, by the backend that needs least of it.
fn native() -> Result<()> {
    let portbind = dist::program()?;
    cargo(&["build", "--locked", "--package", "portbind-tests", "--bins"])?;
    let mut cmd = Command::new(workspace::target().join("debug/portbind-tests"));
    cmd.current_dir(workspace::root()).stdin(std::process::Stdio::null());
    cmd.arg("--portbind").arg(portbind).args(["--backend", "tracepoint"]);
    cmd.args(["--rule-pairs", &vm::RULE_PAIRS.to_string()]);
    tool::run(&mut cmd)
}
