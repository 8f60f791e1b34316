//! `cargo xtask vm`: runs the end-to-end scenarios on real kernels, each in a separate virtual machine.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, Subcommand};

use crate::{dist, workspace};

mod bench;
mod initramfs;
mod kernels;
mod programs;
mod qemu;

/// With this argument the machines run without portbind: only the kernel's own results are checked.
const WITHOUT_PORTBIND: &str = "--without-portbind";

/// Parallel machines; each has one processor.
const JOBS: usize = 2;
/// The machine of a test.
const SIZE: qemu::Size = qemu::Size { memory: 1024, processors: 1 };

pub(crate) use bench::run as bench;
pub(crate) use programs::{build, programs};

/// Random pairs of sockets that continuous integration binds natively.
pub(crate) const RULE_PAIRS: u64 = 20_000;
/// Random pairs per emulated kernel, where a pair takes ten times as long.
const EMULATED_PAIRS: u64 = 5_000;

/// Options of `cargo xtask vm`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What to run instead of the scenarios.
    #[command(subcommand)]
    mode: Option<Mode>,
    /// A kernel to run, by series; may be given several times. The default is all.
    #[arg(long, value_name = "SERIES", value_parser = kernels::SERIES, global = true)]
    kernel: Vec<String>,
    /// A backend to test; may be given several times. The default is all.
    #[arg(long, value_name = "NAME", value_parser = ["fexit", "kprobe", "tracepoint"])]
    backend: Vec<String>,
    /// Skip what continuous integration skips: checks that run natively, all backends but one on each kernel except the
    /// oldest, and, on the kernels between the oldest and the newest, long checks. Long checks use `kprobe`
    /// on the oldest and on the newest kernel.
    #[arg(long)]
    brief: bool,
    /// List the kernels, and the cached release of each.
    #[arg(long)]
    list: bool,
    /// Seconds until a machine counts as hung.
    #[arg(long, value_name = "SECONDS", default_value_t = qemu::TIMEOUT, global = true)]
    timeout: u64,
    /// Processors of each machine.
    #[arg(long, value_name = "NUMBER", default_value_t = SIZE.processors, global = true)]
    processors: u32,
    /// Number of parallel machines.
    #[arg(long, value_name = "NUMBER", default_value_t = JOBS, global = true)]
    jobs: usize,
    /// After the scenarios, also bind this many random pairs of sockets, as `rule` does.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    rule_pairs: u64,
    /// Boot this static program as /init instead of the project's own.
    #[arg(long, value_name = "PATH")]
    init: Option<PathBuf>,
    /// Further arguments of `portbind-tests`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// What can be run instead of the scenarios.
#[derive(Debug, Subcommand)]
enum Mode {
    /// Bind random pairs of sockets, and compare the kernel's results with the diagnosis's rule.
    Rule {
        /// Number of pairs per kernel.
        #[arg(long, value_name = "NUMBER", default_value_t = RULE_PAIRS)]
        pairs: u64,
        /// Seed of the pairs.
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
}

impl Options {
    /// All runs of continuous integration.
    pub(crate) fn everything() -> Self {
        Self { rule_pairs: EMULATED_PAIRS, brief: true, ..Self::default() }
    }

    /// The arguments of `portbind-tests` on this kernel.
    fn arguments(&self, series: &str) -> Vec<String> {
        if let Some(Mode::Rule { pairs, seed }) = self.mode {
            return format!("rule --pairs {pairs} --seed {seed}").split(' ').map(str::to_owned).collect();
        }
        let mut backends: Vec<&str> = self.backend.iter().map(String::as_str).collect();
        let mut arguments = Vec::new();
        if self.brief {
            arguments.push("--essential".to_owned());
            if !kernels::ENDS.contains(&series) {
                arguments.push("--quick".to_owned());
            }
            if backends.is_empty() {
                backends.extend(kernels::backends(series));
            }
        }
        arguments.extend(backends.iter().flat_map(|name| ["--backend".to_owned(), (*name).to_owned()]));
        if self.rule_pairs > 0 {
            arguments.extend(["--rule-pairs".to_owned(), self.rule_pairs.to_string()]);
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: None,
            kernel: vec![],
            backend: vec![],
            brief: false,
            list: false,
            timeout: qemu::TIMEOUT,
            processors: SIZE.processors,
            jobs: JOBS,
            rule_pairs: 0,
            init: None,
            arguments: vec![],
        }
    }
}

/// Runs `portbind-tests` with these arguments, for a soak of this many minutes, in a machine with this kernel.
pub(crate) fn soak(kernel: &str, minutes: f64, arguments: Vec<String>) -> Result<()> {
    ensure!(
        kernels::SERIES.contains(&kernel),
        "there is no kernel {kernel}; there are {}",
        kernels::SERIES.join(", ")
    );
    // The machine has to boot, and is slow.
    let minutes = Duration::try_from_secs_f64(minutes * 60.0)?;
    let timeout = qemu::TIMEOUT.saturating_add(minutes.as_secs().saturating_mul(2));
    run(&Options { kernel: vec![kernel.to_owned()], timeout, arguments, ..Options::default() })
}

/// One kernel's run.
#[derive(Debug)]
struct Run {
    release: String,
    outcome: Result<qemu::Verdict>,
    time: Duration,
}

/// Boots the chosen kernels and reports.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for series in kernels::SERIES {
            println!(
                "{series:<6} {}",
                kernels::cached(series).map_or("not fetched".into(), |kernel| kernel.release)
            );
        }
        return Ok(());
    }
    let mut chosen: Vec<&str> = kernels::SERIES
        .into_iter()
        .filter(|series| options.kernel.is_empty() || options.kernel.iter().any(|kernel| kernel == series))
        .collect();
    // The longest runs start first.
    chosen.sort_by_key(|series| !kernels::ENDS.contains(series));
    let kernels = chosen.iter().map(|series| kernels::fetch(series)).collect::<Result<Vec<_>>>()?;
    let files = files(options)?;

    let next = AtomicUsize::new(0);
    let runs: Vec<Mutex<Option<Run>>> = kernels.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, kernels.len()) {
            scope.spawn(|| {
                while let Some((kernel, slot)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    kernels.get(index).zip(runs.get(index))
                } {
                    let arguments = options.arguments(&kernel.series);
                    let size = qemu::Size { processors: options.processors, ..SIZE };
                    let limit = Duration::from_secs(options.timeout);
                    let run = boot(kernel, &files, &arguments, size, limit);
                    if let Ok(mut slot) = slot.lock() {
                        *slot = Some(run);
                    }
                }
            });
        }
    });
    report(runs.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()), kernels.len())
}

fn boot(
    kernel: &kernels::Kernel,
    files: &initramfs::Files,
    arguments: &[String],
    size: qemu::Size,
    limit: Duration,
) -> Run {
    let started = Instant::now();
    let archive = kernel.folder.join("initramfs.cpio");
    let outcome = initramfs::write(&archive, files, arguments, &kernel.modules)
        .and_then(|()| qemu::boot(&kernel.series, &kernel.image, &archive, size, limit));
    Run { release: kernel.release.clone(), outcome, time: started.elapsed() }
}

/// Prints the table and the sums; fails if a run failed.
fn report(runs: impl Iterator<Item = Run>, expected: usize) -> Result<()> {
    let (mut passed, mut failed, mut complete) = (0, 0, 0);
    println!("\n{:<34} {:>7}  result", "kernel", "time");
    for run in runs {
        let (tests, result) = match run.outcome {
            Ok(verdict) if verdict.success => (verdict.tests, "passed".to_owned()),
            Ok(verdict) => {
                (verdict.tests.map(|(passed, failed)| (passed, failed.max(1))), "FAILED".to_owned())
            }
            Err(error) => (Some((0, 1)), format!("FAILED: {error:#}")),
        };
        complete += usize::from(result == "passed");
        // A machine that reports no numbers counts as one test.
        let (good, bad) = tests.unwrap_or(if result == "passed" { (1, 0) } else { (0, 1) });
        passed += good;
        failed += bad;
        println!(
            "{:<34} {:>5.0} s  {result} ({good} passed, {bad} failed)",
            run.release,
            run.time.as_secs_f64()
        );
    }
    println!("{passed} passed, {failed} failed");
    ensure!(complete == expected, "{} of {expected} kernels failed", expected - complete);
    Ok(())
}

/// Builds the files for the machines.
fn files(options: &Options) -> Result<initramfs::Files> {
    let scenarios = workspace::root().join("tests/scenarios");
    if let Some(init) = &options.init {
        return Ok(initramfs::Files { init: init.clone(), programs: vec![], scenarios, system: None });
    }
    let folder = programs()?;
    let mut programs = vec![folder.join("portbind-tests")];
    if options.mode.is_none() && !options.arguments.iter().any(|argument| argument == WITHOUT_PORTBIND) {
        programs.push(dist::program()?);
    }
    let init = folder.join("portbind-init");
    for program in programs.iter().chain([&init]) {
        if !program.exists() {
            bail!("{} was not built", program.display());
        }
    }
    Ok(initramfs::Files { init, programs, scenarios, system: None })
}
