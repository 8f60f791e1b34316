//! Why tracing cannot begin, and why one backend cannot be used.

use std::io;

use super::backend::Backend;
use super::btf::BtfError;
use super::layout::LayoutError;
use crate::host::privileges::few_descriptors_hint;
use crate::sys::file_bytes::KERNEL_BTF;

/// Why tracing cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The kernel's type information cannot be read.
    #[error("cannot read {KERNEL_BTF}: {0}")]
    NoBtf(#[source] io::Error),
    /// The kernel's type information is invalid.
    #[error("cannot make sense of {KERNEL_BTF}: {0}")]
    BadBtf(#[from] BtfError),
    /// The kernel lacks something that every backend needs.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The kernel half could not be loaded at all.
    #[error("cannot load the kernel half: {0}")]
    Load(String),
    /// The descendants of a command cannot be followed.
    #[error("descendants cannot be followed: {0}")]
    Descendants(#[source] AttachError),
    /// Every backend failed.
    #[error("no backend works on this kernel{}", list(.0))]
    NoBackend(Vec<(Backend, AttachError)>),
}

impl TraceError {
    /// What the user can do next, as a sentence without a full stop.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        let of_this_error = match self {
            Self::NoBtf(_) => {
                "the kernel has to be built with CONFIG_DEBUG_INFO_BTF; distribution kernels since 2020 are"
            }
            _ => "portbind doctor reports what this kernel allows",
        };
        few_descriptors_hint().unwrap_or(of_this_error)
    }
}

fn list(tried: &[(Backend, AttachError)]) -> String {
    tried.iter().map(|(backend, error)| format!("\n  {}: {error}", backend.as_str())).collect()
}

/// Why one backend cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The kernel has none of the hook's functions.
    #[error("this kernel has no function {functions} (needed for {shows})")]
    NoFunction {
        /// What the hook shows.
        shows: &'static str,
        /// The functions that were tried.
        functions: String,
    },
    /// The hooks are attached, and see nothing of a refusal.
    #[error("the hooks attach, and do not see that a bind of portbind's own is refused")]
    Blind,
    /// The kernel refused a program.
    #[error("loading {program} was refused: {reason}")]
    Load {
        /// The program.
        program: &'static str,
        /// The kernel's error.
        reason: String,
    },
    /// The kernel refused to attach a program.
    #[error("attaching {program} to {target} was refused: {reason}")]
    Attach {
        /// The program.
        program: &'static str,
        /// Function or tracepoint.
        target: &'static str,
        /// The kernel's error.
        reason: String,
    },
}

/// Lines with which the verifier ends every log (`print_verification_stats`, kernel/bpf/verifier.c).
const STATISTICS: &[&str] =
    &["processed ", "verification time", "stack depth", "subprog ", "max_states", "func#"];

/// The kernel's error, with only the deciding line of the verifier's log.
pub(super) fn reason_with_log(error: &io::Error, log: &str) -> String {
    let is_statistics = |line: &str| STATISTICS.iter().any(|start| line.starts_with(start));
    let telling = log.lines().map(str::trim).rev().find(|line| !line.is_empty() && !is_statistics(line));
    match telling {
        Some(line) => format!("{error} ({line})"),
        None => error.to_string(),
    }
}

pub(super) fn reason_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
