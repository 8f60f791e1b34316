//! The project's own tasks, one file per task: `cargo xtask --help` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool talks to its terminal")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apt;
mod bench;
mod causes;
mod ci;
// Files of portbind through symbolic links, instead of portbind as a dependency: the library does not build if its
// kernel half is stale, and this program rebuilds the kernel half.
#[expect(unreachable_pub, reason = "the file is part of a library elsewhere")]
mod code;
mod debug;
mod digest;
mod dist;
mod ebpf;
mod field;
mod fuzz;
mod generate;
mod guide;
mod limit;
mod picture;
mod setup;
mod soak;
mod spelling;
mod tool;
mod transcripts;
mod vm;
mod workspace;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the other tasks need.
    Setup(setup::Options),
    /// Build the kernel half into portbind/bpf, or check that it is up to date.
    Ebpf(ebpf::Options),
    /// Run the end-to-end scenarios on real kernels in virtual machines.
    Vm(vm::Options),
    /// Write the transcripts in docs/causes, or check that every cause has its page and its scenario.
    Causes(causes::Options),
    /// Write the transcripts in docs/ci.md, from runs of the flaky suite, and the transcript in the README.
    Guide(guide::Options),
    /// Generate docs/report.html and docs/report.png from a real run.
    Picture(picture::Options),
    /// Write completions, man pages, docs/cli.md and docs/schema.json, or check that they are up to date.
    Generate(generate::Options),
    /// Build the tarball and the Debian package, and test both in a clean root.
    Dist(dist::Options),
    /// Compare portbind with other tools, and write docs/performance.md.
    Bench(bench::Options),
    /// Fuzz every parser of foreign input in portbind.
    Fuzz(fuzz::Options),
    /// Trace while processes come and go, for minutes or hours, and check that every refusal is reported.
    Soak(soak::Options),
    /// Play the field corpus, situations of public reports, with real programs.
    Field(field::Options),
    /// Run every check and test, as continuous integration does.
    Ci(ci::Options),
}

fn main() -> ExitCode {
    if let Some(status) = fuzz::run_if_called() {
        return status;
    }
    let outcome = match Cli::parse().task {
        Task::Setup(options) => setup::run(&options),
        Task::Ebpf(options) => ebpf::run(&options),
        Task::Vm(options) => vm::run(&options),
        Task::Causes(options) => causes::run(&options),
        Task::Guide(options) => guide::run(&options),
        Task::Picture(options) => picture::run(&options),
        Task::Generate(options) => generate::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Field(options) => field::run(&options),
        Task::Ci(options) => ci::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
