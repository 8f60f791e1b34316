//! `cargo xtask soak`: portbind traces while processes come and go, and every refusal must be accounted for.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{debug, dist, tool, vm};

/// Options of `cargo xtask soak`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Duration of the load in minutes; fractions are allowed.
    #[arg(long, value_name = "NUMBER", default_value_t = 10.0)]
    minutes: f64,
    /// Seed of the load.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// The backend.
    #[arg(long, value_name = "NAME", value_parser = ["fexit", "kprobe", "tracepoint"], default_value = "tracepoint")]
    backend: String,
    /// Run in a virtual machine with this kernel, and also set its clock forward by an hour and back.
    #[arg(long, value_name = "SERIES")]
    vm: Option<String>,
    /// Use this portbind instead of the release build; only without a virtual machine.
    #[arg(long, value_name = "PATH", conflicts_with = "vm")]
    portbind: Option<PathBuf>,
}

/// Runs the soak, here or in a virtual machine; fails unless all conditions held.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { minutes, seed, backend, .. } = options;
    ensure!(minutes.is_finite() && *minutes > 0.0, "{minutes} is no number of minutes");
    let mut arguments = vec!["soak".to_owned(), "--backend".to_owned(), backend.clone()];
    arguments.extend(["--minutes".to_owned(), minutes.to_string(), "--seed".to_owned(), seed.to_string()]);
    if let Some(kernel) = &options.vm {
        arguments.push("--clock-steps".to_owned());
        return vm::soak(kernel, *minutes, arguments);
    }
    let portbind = options.portbind.clone().map_or_else(dist::program, Ok)?;
    debug::build(&["portbind-tests"])?;
    let mut cmd = Command::new(debug::program("portbind-tests"));
    tool::run(cmd.args(arguments).arg("--portbind").arg(portbind).stdin(Stdio::null()))
}
