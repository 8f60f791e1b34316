//! `cargo xtask bench`: compares portbind with other tools, and writes docs/performance.md.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};

use self::setting::Setting;
use self::stats::Spread;
use self::table::{Goal, Row, Section};
use self::tools::Tracer;
use crate::{apt, dist, tool, vm, workspace};

mod crowd;
mod page;
mod setting;
mod stats;
mod table;
mod tools;
mod tracing;

/// Maximum size of the static program in bytes.
const SIZE: f64 = 5_000.0;
/// Calls of a loop natively, and under emulation.
const CALLS: (u32, u32) = (200_000, 4_000);
/// The kernel of the virtual machine.
const SERIES: &str = "6.1";
/// Marks console lines of the virtual machine that belong in the page.
const MARK: &str = "bench|";

/// Options of `cargo xtask bench`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Measure in a virtual machine whose kernel has kprobes and fexit.
    #[arg(long)]
    vm: bool,
    /// A measurement to run; may be given several times. The default is all.
    #[arg(long, value_enum, value_name = "NAME", num_args = 1..)]
    only: Vec<Name>,
    /// Few rounds with small numbers, as a functional test; does not write the page.
    #[arg(long)]
    quick: bool,
    /// Seconds per storm.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    storm: f64,
    /// Measure this portbind instead of the release build.
    #[arg(long, value_name = "PATH", conflicts_with = "vm")]
    portbind: Option<PathBuf>,
    /// Use this `portbind-tests` for the measured loops instead of an optimized build.
    #[arg(long, value_name = "PATH", conflicts_with = "vm")]
    helper: Option<PathBuf>,
    /// Measure with these programs: this process runs inside the virtual machine.
    #[arg(long, hide = true, num_args = 2, value_names = ["PORTBIND", "HELPER"])]
    inside: Vec<PathBuf>,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Time from exec until the tracer is armed.
    Start,
    /// Peak RSS.
    Memory,
    /// The cost of calls.
    Calls,
    /// Time from a refused bind to its line.
    Latency,
    /// Refusals at the maximum rate.
    Storm,
    /// Finding the owner of a port among many processes.
    Who,
    /// Time from a refused bind to its line, among many processes.
    Holders,
    /// The cost of a refusal as the number of sockets grows.
    Growth,
    /// The size of the program.
    Size,
    /// Parts of the program, measured by criterion.
    Micro,
}

/// Measured in the virtual machine; other measurements run natively.
const IN_MACHINE: [Name; 3] = [Name::Start, Name::Memory, Name::Calls];

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let [portbind, helper] = options.inside.as_slice() {
        return inside(options, portbind.clone(), helper.clone());
    }
    if options.vm {
        return machine(options);
    }
    apt::install(&tools::PACKAGES)?;
    let portbind = options.portbind.clone().map_or_else(dist::program, Ok)?;
    let helper = match &options.helper {
        Some(path) => path.clone(),
        None => vm::build(&["portbind-tests"])?.join("portbind-tests"),
    };
    let setting = Setting {
        portbind,
        helper,
        quick: options.quick,
        storm: if options.quick { options.storm.min(2.0) } else { options.storm },
        backends: vec!["tracepoint"],
        peers: vec![Tracer::bpftrace()],
        start_goal: Goal::OfPeer(0.5, "bpftrace"),
        calls: CALLS.0,
    };
    let all = Name::value_variants();
    let text = measure(&setting, options, all, &mut |section, text| {
        if options.quick { Ok(()) } else { page::write(&format!("native-{section}"), text) }
    })?;
    println!("{text}");
    Ok(())
}

/// Runs the chosen measurements, and passes each result to `done` at once.
fn measure(
    setting: &Setting,
    options: &Options,
    all: &[Name],
    done: &mut dyn FnMut(&str, &str) -> Result<()>,
) -> Result<String> {
    let in_machine = !options.inside.is_empty();
    let packages: &[&str] = if in_machine { &tools::MACHINE_PACKAGES } else { &tools::PACKAGES };
    let mut text = format!("## {}\n\n", machine_line(packages)?);
    done("machine", &text)?;
    for name in all.iter().filter(|name| options.only.is_empty() || options.only.contains(name)) {
        eprintln!("bench: {name:?}");
        let section = match name {
            Name::Start => tracing::start(setting)?,
            Name::Memory => tracing::memory(setting)?,
            Name::Calls => tracing::calls(setting)?,
            Name::Latency => tracing::latency(setting)?,
            Name::Storm => tracing::storm(setting)?,
            Name::Who => crowd::who(setting)?,
            Name::Holders => crowd::holders(setting)?,
            Name::Growth => tracing::growth(setting)?,
            Name::Size => size(setting)?,
            Name::Micro => micro(options.quick)?,
        };
        let markdown = section.markdown();
        done(section.name, &markdown)?;
        text.push_str(&markdown);
        text.push('\n');
    }
    Ok(text)
}

/// A description of the machine.
fn machine_line(packages: &[&str]) -> Result<String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").context("no kernel release")?;
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let count = processor.lines().filter(|line| line.starts_with("processor")).count();
    Ok(format!(
        "Linux {}, {count} × {}; {}",
        kernel.trim(),
        model.trim_start_matches(['\t', ' ', ':']),
        tools::versions(packages)
    ))
}

/// The size of the static program.
fn size(setting: &Setting) -> Result<Section> {
    let bytes = fs::metadata(&setting.portbind)?.len();
    let kb = u32::try_from(bytes / 1000).map(f64::from)?;
    let spread = Spread { median: kb, low: kb, high: kb };
    let what = "static program".to_owned();
    let row = Row { what, tool: "portbind".to_owned(), spread, unit: "kB", goal: Goal::AtMost(SIZE) };
    Ok(Section { name: "size", title: "Size".to_owned(), rows: vec![row], notes: vec![] })
}

/// The microbenchmarks, as criterion reports them.
fn micro(quick: bool) -> Result<Section> {
    let mut cmd = tool::cargo();
    cmd.current_dir(workspace::root()).args([
        "bench",
        "--locked",
        "--package",
        "portbind",
        "--bench",
        "parts",
    ]);
    // The shipped profile's whole-program optimization costs minutes.
    cmd.args(["--config", "profile.bench.lto=false", "--config", "profile.bench.codegen-units=16"]);
    cmd.args(["--", "--noplot"]);
    if quick {
        cmd.arg("--quick");
    }
    let said = tool::output(&mut cmd)?;
    let mut notes = Vec::new();
    let mut name = "";
    for line in said.lines() {
        let Some((before, times)) = line.split_once("time:") else {
            name = if line.trim().is_empty() { name } else { line.trim() };
            continue;
        };
        let name = if before.trim().is_empty() { name } else { before.trim() };
        notes.push(format!("{name}: {}", times.trim()));
    }
    ensure!(!notes.is_empty(), "criterion says nothing:\n{said}");
    Ok(Section { name: "micro", title: "Parts (low, estimate, high)".to_owned(), rows: vec![], notes })
}

/// The part that runs inside the virtual machine.
fn inside(options: &Options, portbind: PathBuf, helper: PathBuf) -> Result<()> {
    let peers = vec![Tracer::bindsnoop(), Tracer::bpftrace()];
    let setting = Setting {
        portbind,
        helper,
        quick: options.quick,
        storm: options.storm,
        backends: vec!["fexit", "kprobe"],
        peers,
        start_goal: Goal::OfPeer(1.0, "bindsnoop"),
        calls: CALLS.1,
    };
    measure(&setting, options, &IN_MACHINE, &mut |name, text| {
        println!("{MARK}={name}");
        text.lines().for_each(|line| println!("{MARK} {line}"));
        Ok(())
    })?;
    Ok(())
}

/// Boots the virtual machine, and writes its results.
fn machine(options: &Options) -> Result<()> {
    let mut arguments: Vec<String> =
        ["bench", "--inside", "/bin/portbind", "/bin/portbind-tests"].map(str::to_owned).to_vec();
    if options.quick {
        arguments.push("--quick".to_owned());
    }
    for name in &options.only {
        let value = name.to_possible_value().context("no name")?;
        arguments.extend(["--only".to_owned(), value.get_name().to_owned()]);
    }
    let console = vm::bench(SERIES, &arguments, &tools::MACHINE_PACKAGES)?;
    let lines = console.iter().filter_map(|line| Some(line.split_once(MARK)?.1));
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in lines {
        match (line.strip_prefix('='), sections.last_mut()) {
            (Some(name), _) => sections.push((name.to_owned(), String::new())),
            // The console drops the blank of an empty line.
            (None, Some((_, text))) => {
                text.push_str(&format!("{}\n", line.strip_prefix(' ').unwrap_or(line)));
            }
            (None, None) => {}
        }
    }
    ensure!(!sections.is_empty(), "the machine has measured nothing");
    for (name, text) in &sections {
        println!("{text}");
        if !options.quick {
            page::write(&format!("vm-{name}"), text)?;
        }
    }
    Ok(())
}
