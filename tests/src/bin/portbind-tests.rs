//! The runner of the end-to-end tests.
#![expect(clippy::print_stdout, reason = "a test runner reports on its standard output")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use portbind::event::Code;
use portbind_tests::programs::Skipped;
use portbind_tests::report::Report;
use portbind_tests::scenario::{self, Scenario};
use portbind_tests::storms::{self, Storm};
use portbind_tests::wrapped_command::{self, WrappedCommand};
use portbind_tests::{
    actor, bench, checks, churn, field, guide, recording, rule, runner, soak, surroundings, transcript,
};

/// Plays scenarios on the running kernel and checks what portbind reports.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The task of a helper process.
    #[command(subcommand)]
    part: Option<Part>,
    /// The portbind under test.
    #[arg(long, value_name = "PATH", required_unless_present_any = ["without_portbind", "list"])]
    portbind: Option<PathBuf>,
    /// Checks only the kernel's results.
    #[arg(long, conflicts_with = "portbind")]
    without_portbind: bool,
    /// A backend to test; may be given several times. Long checks use only the first.
    #[arg(long, value_name = "NAME", default_values_t = ["fexit", "kprobe", "tracepoint"].map(str::to_owned))]
    backend: Vec<String>,
    /// Runs only scenarios and checks whose names contain this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    scenario: String,
    /// Folder of the scenario files.
    #[arg(long, value_name = "DIR", default_value = "tests/scenarios")]
    scenarios: PathBuf,
    /// Plays each scenario this many times as often, and runs the counting checks this much longer.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    times: u32,
    /// Also uses programs that `cargo xtask setup` does not install, if they exist.
    #[arg(long)]
    others: bool,
    /// Skips the checks that do not depend on a backend.
    #[arg(long)]
    essential: bool,
    /// Skips the long checks.
    #[arg(long)]
    quick: bool,
    /// Also binds this many random pairs of sockets, as `rule` does.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    rule_pairs: u64,
    /// Lists scenarios and checks.
    #[arg(long)]
    list: bool,
}

/// A helper process of the runner, or another kind of test.
#[derive(Clone, Debug, Subcommand)]
enum Part {
    /// Performs actions from standard input.
    #[command(hide = true)]
    Actor {
        /// Arguments that only other processes see.
        #[arg(allow_hyphen_values = true)]
        ignored: Vec<String>,
    },
    /// Keeps inherited descriptors open.
    #[command(hide = true)]
    Sleep {
        /// Its process name.
        name: String,
    },
    /// Holds a port until the input ends.
    #[command(hide = true)]
    Hold,
    /// Makes refused binds repeatedly once the input ends.
    #[command(hide = true, subcommand)]
    Storm(Storm),
    /// Keeps one socket open, and changes everything else about itself.
    #[command(hide = true)]
    Churn(churn::Options),
    /// Runs as the command that portbind wraps.
    #[command(hide = true, subcommand)]
    Wrapped(WrappedCommand),
    /// Prints portbind's output for each cause, for the pages of docs/causes.
    Transcripts {
        /// The portbind that prints the output.
        #[arg(long, value_name = "PATH")]
        portbind: PathBuf,
        /// Folder of the scenario files.
        #[arg(long, value_name = "DIR", default_value = "tests/scenarios")]
        scenarios: PathBuf,
    },
    /// Writes a made-up recording to standard output.
    Recording(recording::Plan),
    /// Prints the transcripts of docs/ci.md, one after the other.
    Guide {
        /// The portbind that wraps the test suite.
        #[arg(long, value_name = "PATH")]
        portbind: PathBuf,
    },
    /// Prints the transcript of the README.
    Readme {
        /// The portbind that prints the transcript.
        #[arg(long, value_name = "PATH")]
        portbind: PathBuf,
    },
    /// Runs one measurement of `cargo xtask bench`.
    #[command(hide = true, subcommand)]
    Bench(bench::Bench),
    /// Prints what a process inherits from a test process.
    #[command(hide = true)]
    Surroundings,
    /// Binds random pairs of sockets, and compares the kernel's results with the diagnosis's rule.
    Rule(rule::Options),
    /// Traces for minutes or hours while processes come and go, and checks that every refusal is reported.
    Soak(soak::Options),
    /// Plays the field corpus: situations of public reports, with real programs.
    Field(field::Options),
    /// Runs the load of a soak.
    #[command(hide = true)]
    SoakLoad(soak::Load),
}

impl Part {
    /// Starts other programs and checks them; helper processes keep their inherited surroundings.
    const fn is_test(&self) -> bool {
        matches!(
            self,
            Self::Surroundings
                | Self::Field(_)
                | Self::Transcripts { .. }
                | Self::Guide { .. }
                | Self::Readme { .. }
        )
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let own_network = match &arguments.part {
        Some(part) if !part.is_test() => None,
        _ => surroundings::settle()?,
    };
    match arguments.part {
        Some(Part::Actor { .. }) => actor::run()?,
        Some(Part::Churn(options)) => churn::run(&options)?,
        Some(Part::Hold) => actor::hold()?,
        Some(Part::Storm(storm)) => storms::run(storm)?,
        Some(Part::Bench(measurement)) => bench::run(&measurement)?,
        Some(Part::Sleep { name }) => actor::sleep(&name)?,
        Some(Part::Wrapped(command)) => return wrapped_command::run(command),
        Some(Part::Rule(options)) => {
            let agrees = rule::run(options)? == 0;
            return Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Part::Surroundings) => return wrapped_command::run(WrappedCommand::State),
        Some(Part::Soak(options)) => {
            let held = soak::run(&options)?;
            return Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Part::Field(options)) => {
            let passed = field::run(&options)?;
            return Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Part::SoakLoad(options)) => soak::load(options)?,
        Some(Part::Recording(plan)) => recording::write(plan, &mut std::io::stdout().lock())?,
        Some(Part::Transcripts { portbind, scenarios }) => transcripts(&portbind, &scenarios)?,
        Some(Part::Guide { portbind }) => {
            for (name, text) in guide::transcripts(&portbind)? {
                print!("=== {name}\n{text}");
            }
        }
        Some(Part::Readme { portbind }) => print!("=== same-program\n{}", guide::same_program(&portbind)?),
        None => {
            if let Some(reason) = own_network {
                println!("in a network namespace of their own: {reason}");
            }
            return run(&arguments);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints `=== CODE` and the transcript for each cause that this machine can produce.
fn transcripts(portbind: &Path, scenarios: &Path) -> anyhow::Result<()> {
    let all = scenario::load(scenarios)?;
    for code in Code::ALL {
        let text = transcript::of(*code, portbind, &all).with_context(|| code.to_string())?;
        if let Some(text) = text {
            print!("=== {code}\n{text}");
        }
    }
    Ok(())
}

/// Runs the requested part.
fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut all = scenario::load(&arguments.scenarios)?;
    for scenario in &mut all {
        scenario.repeat = scenario.repeat.saturating_mul(arguments.times);
    }
    let chosen: Vec<&Scenario> =
        all.iter().filter(|scenario| scenario.name.contains(&arguments.scenario)).collect();
    if arguments.list {
        for scenario in &chosen {
            println!("{}", scenario.name);
        }
        for name in checks::names().filter(|name| name.contains(&arguments.scenario)) {
            println!("{name}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::default();
    if arguments.without_portbind {
        runner::run(&chosen, None, &mut report)?;
    } else {
        let portbind = arguments.portbind.as_deref().context("no portbind was given")?;
        let skipped = Skipped::default();
        for (index, backend) in arguments.backend.iter().enumerate() {
            if let Err(error) = runner::run(&chosen, Some((portbind, backend)), &mut report) {
                report.note(&format!("{backend}: start"), &[format!("{error:#}")]);
                continue;
            }
            let choice = checks::Choice {
                filter: &arguments.scenario,
                once: index == 0 && !arguments.essential,
                long: index == 0 && !arguments.quick,
            };
            let setting = checks::Setting {
                portbind,
                backend,
                times: arguments.times,
                scenarios: &all,
                others: arguments.others,
                skipped: &skipped,
            };
            checks::run(setting, choice, &mut report);
        }
    }
    if arguments.rule_pairs > 0 {
        let options = rule::Options { pairs: arguments.rule_pairs, ..rule::Options::default() };
        let complaint = match rule::run(options) {
            Ok(0) => None,
            Ok(count) => Some(format!("the kernel disagrees {count} times")),
            Err(error) => Some(format!("{error:#}")),
        };
        report.note("rule", complaint.as_slice());
    }
    Ok(if report.close() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
