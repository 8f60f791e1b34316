//! Programs to the places where they run.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use aya_obj::generated::bpf_attach_type::{BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_TRACE_RAW_TP};

use super::backend::{Backend, Hook, Kind, Point};
use super::half::Half;
use crate::sys::tracing::{self, Kprobes, Place, When};

/// Why one backend cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// The kernel has none of the functions that a hook could use.
    #[error("this kernel has no function {functions} (needed for {shows})")]
    NoFunction {
        /// What the hook shows.
        shows: &'static str,
        /// The functions that were looked for.
        functions: String,
    },
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

/// Programs at work, until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Attached {
    links: Vec<OwnedFd>,
    programs: BTreeMap<&'static str, OwnedFd>,
    kprobes: Option<Kprobes>,
}

/// Attaches every hook of a backend; returns what optional hooks would have shown, too.
pub(super) fn attach(
    half: &mut Half,
    backend: Backend,
    functions: &BTreeMap<&'static str, u32>,
) -> Result<(Attached, Vec<&'static str>), AttachError> {
    let mut attached = Attached::default();
    let mut missing = Vec::new();
    for hook in backend.hooks() {
        match point_of(hook, functions) {
            Ok(point) => attached.add(half, point, functions.get(point.target).copied())?,
            Err(error) if hook.essential => return Err(error),
            Err(_) => missing.push(hook.shows),
        }
    }
    Ok((attached, missing))
}

fn point_of(
    hook: &'static Hook,
    functions: &BTreeMap<&'static str, u32>,
) -> Result<&'static Point, AttachError> {
    let exists = |point: &&Point| point.kind == Kind::RawTracepoint || functions.contains_key(point.target);
    hook.points.iter().find(exists).ok_or_else(|| AttachError::NoFunction {
        shows: hook.shows,
        functions: hook.points.iter().map(|point| point.target).collect::<Vec<_>>().join(" or "),
    })
}

impl Attached {
    /// Puts the programs of a point there; `function` is the id of its target's type.
    pub(super) fn add(
        &mut self,
        half: &mut Half,
        point: &'static Point,
        function: Option<u32>,
    ) -> Result<(), AttachError> {
        let typed = |attach_type| Place::Typed(attach_type, function.unwrap_or_default());
        let place = match point.kind {
            Kind::Fentry => typed(BPF_TRACE_FENTRY),
            Kind::Fexit => typed(BPF_TRACE_FEXIT),
            Kind::Kprobe => Place::Kprobe,
            Kind::RawTracepoint => Place::RawTracepoint,
            Kind::TypedTracepoint => typed(BPF_TRACE_RAW_TP),
        };
        // The return first: a call that is between the two is then seen by neither.
        let entry = point.entry.filter(|entry| half.has(entry));
        for name in [Some(point.program), entry].into_iter().flatten() {
            if !self.programs.contains_key(name) {
                self.programs.insert(name, half.load(name, place)?);
            }
            let link = self.link(half, point, name);
            self.links.push(link.map_err(|error| AttachError::Attach {
                program: name,
                target: point.target,
                reason: error.to_string(),
            })?);
        }
        Ok(())
    }

    /// Attaches a program that has been loaded.
    fn link(&mut self, half: &Half, point: &Point, name: &str) -> io::Result<OwnedFd> {
        let program = self.programs.get(name).ok_or(io::ErrorKind::NotFound)?;
        let target = CString::new(point.target)?;
        match point.kind {
            Kind::Fentry | Kind::Fexit | Kind::TypedTracepoint => tracing::attach(program.as_fd(), None),
            Kind::RawTracepoint => tracing::attach(program.as_fd(), Some(&target)),
            Kind::Kprobe => {
                let kprobes = match self.kprobes {
                    Some(kprobes) => kprobes,
                    None => *self.kprobes.insert(Kprobes::read()?),
                };
                let when = if half.is_for_return(name) { When::Return } else { When::Entry };
                kprobes.attach(program.as_fd(), &target, when)
            }
        }
    }

    /// Calls that the kernel passed over because a run of the same program was interrupted on that CPU
    /// (`recursion_misses`, bpf_prog_show_fdinfo in kernel/bpf/syscall.c; from 5.12 on). Most are of no
    /// interest; a refusal among them went unseen.
    pub(super) fn passed_over(&self) -> u64 {
        let misses = |program: &OwnedFd| {
            let path = format!("/proc/self/fdinfo/{}", program.as_raw_fd());
            let text = std::fs::read_to_string(path).ok()?;
            let value = text.lines().find_map(|line| line.strip_prefix("recursion_misses:"))?;
            value.trim().parse::<u64>().ok()
        };
        self.programs.values().filter_map(misses).sum()
    }
}

/// Lines that the verifier closes every log with (`print_verification_stats`, kernel/bpf/verifier.c).
const STATISTICS: &[&str] =
    &["processed ", "verification time", "stack depth", "subprog ", "max_states", "func#"];

/// The kernel's own error, and of the verifier's log only the line that says why.
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
