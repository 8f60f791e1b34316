//! `cargo xtask fuzz`: fuzzes every parser of foreign input in portbind (`fuzz/`).

mod compiler;
mod corpus;
mod program;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

pub(crate) use compiler::run_if_called;

use crate::workspace;
use target::{Outcome, Target};

/// Options of `cargo xtask fuzz`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Seconds per target.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    seconds: u64,
    /// A target to fuzz; may be given several times. The default is all.
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Targets that are fuzzed in parallel; the default is the number of processors.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Run the one given target with this input, instead of fuzzing it.
    #[arg(long, value_name = "FILE", requires = "target")]
    replay: Option<PathBuf>,
    /// Afterwards minimize each corpus in the repository: the smallest inputs that reach the same edges.
    #[arg(long, conflicts_with = "replay")]
    keep: bool,
}

impl Options {
    /// The options of continuous integration.
    pub(crate) fn brief() -> Self {
        Self { seconds: 10, target: Vec::new(), jobs: None, replay: None, keep: false }
    }
}

/// Builds the fuzzer, and runs it on each target; fails if a target crashes or hangs.
pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = chosen(&options.target)?;
    let program = program::build()?;
    let scratch = Scratch::new()?;
    if let Some(input) = &options.replay {
        return target::replay(&program, &targets, input, &scratch.0);
    }
    let outcomes = fuzz(&program, &targets, options, &scratch.0)?;
    println!("target        executions   a second   edges   inputs   memory");
    for (target, outcome) in targets.iter().zip(&outcomes) {
        println!("{:<12} {outcome}", target.name);
    }
    let failed: Vec<&str> = targets
        .iter()
        .zip(&outcomes)
        .filter_map(|(target, outcome)| outcome.failed().then_some(&*target.name))
        .collect();
    ensure!(failed.is_empty(), "portbind crashed, hung or printed what it must not: {}", failed.join(", "));
    if options.keep {
        targets.iter().try_for_each(|target| corpus::keep(&program, target, &scratch.0))?;
    }
    Ok(())
}

/// The targets are the folders of the corpora: a test checks that each target has one.
fn chosen(names: &[String]) -> Result<Vec<Target>> {
    let folder = workspace::root().join("fuzz/corpus");
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))? {
        all.push(entry?.file_name().to_string_lossy().into_owned());
    }
    all.sort();
    for name in names {
        ensure!(all.contains(name), "there is no target {name}; there are {}", all.join(", "));
    }
    let is_chosen = |name: &String| names.is_empty() || names.contains(name);
    Ok(all.into_iter().filter(is_chosen).map(Target::new).collect())
}

/// Fuzzes several targets in parallel, each as soon as a thread is idle; the outcomes are in the order of the targets.
fn fuzz(program: &Path, targets: &[Target], options: &Options, scratch: &Path) -> Result<Vec<Outcome>> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.unwrap_or(processors).clamp(1, targets.len().max(1));
    let waiting = Mutex::new(targets.iter().enumerate());
    let outcomes: Mutex<Vec<(usize, Result<Outcome>)>> = Mutex::new(Vec::new());
    let time = Duration::from_secs(options.seconds);
    let work = || {
        while let Some((index, target)) = next(&waiting) {
            let outcome = target.fuzz(program, time, scratch);
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next()
}

/// A folder for the files that targets write for each input; in memory if possible.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = parent.join(format!("portbind-fuzz-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            println!("{} is left over: {error}", self.0.display());
        }
    }
}
