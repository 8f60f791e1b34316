//! Instrumentation: Cargo calls this program as a compiler wrapper, which adds flags for two crates.
//!
//! The stable compiler also has LLVM's SanitizerCoverage. `RUSTFLAGS` would instrument every dependency, and so compile
//! all of them again; a workspace wrapper leaves the dependencies as other builds compile them.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// If the variable is 1, this program is the compiler wrapper.
pub(super) const VARIABLE: &str = "PORTBIND_XTASK_INSTRUMENT";
/// The crates whose branches the fuzzer follows.
const CRATES: [&str; 2] = ["portbind", "portbind_fuzz"];
/// Edge counters, and calls at comparisons (clang.llvm.org/docs/SanitizerCoverage.html). The debug information contains
/// only lines.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebuginfo=line-tables-only",
];

/// Executes the compiler if Cargo has called this program as its wrapper; returns otherwise, or if that fails.
pub(crate) fn run_if_called() -> Option<ExitCode> {
    if env::var_os(VARIABLE)? != "1" {
        return None;
    }
    let mut arguments = env::args_os().skip(1);
    let mut cmd = Command::new(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    let is_instrumented = arguments.windows(2).any(|pair| match pair {
        [option, name] => option == "--crate-name" && CRATES.iter().any(|known| name == known),
        _ => false,
    });
    cmd.args(arguments).env_remove(VARIABLE);
    if is_instrumented {
        cmd.args(FLAGS);
    }
    let error = cmd.exec();
    eprintln!("error: failed to run {cmd:?}: {error}");
    Some(ExitCode::FAILURE)
}
