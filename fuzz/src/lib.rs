//! Targets for a fuzzer: each takes any bytes to a reader of portbind, as another program or another user could, and
//! checks what comes of them.
//!
//! A target fails by a panic: one of portbind's own, or that of an assertion about what portbind prints. `cargo xtask
//! fuzz` runs the targets under libFuzzer; `tests/corpora.rs` plays the inputs that are kept in `corpus/`.

mod diagnose;
mod harmless;
mod print;
mod targets;
mod tree;

use std::env;

/// Names the target of the fuzzer's process.
pub const TARGET_VARIABLE: &str = "PORTBIND_FUZZ_TARGET";

/// One reader of portbind.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of the folder of its corpus.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "arguments", run: targets::arguments::run },
    Target { name: "btf", run: targets::btf::run },
    Target { name: "log", run: targets::log::run },
    Target { name: "process", run: targets::process::run },
    Target { name: "recording", run: targets::recording::run },
    Target { name: "records", run: targets::records::run },
    Target { name: "runtime", run: targets::runtime::run },
    Target { name: "text", run: targets::text::run },
];

/// The target that the environment names.
#[must_use]
pub fn chosen() -> Option<&'static Target> {
    let name = env::var_os(TARGET_VARIABLE)?;
    TARGETS.iter().find(|target| name == target.name)
}
