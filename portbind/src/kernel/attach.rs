//! Programs to the places where they run.

use std::collections::BTreeSet;
use std::io;

use aya::programs::{FEntry, FExit, KProbe, Program, ProgramError, RawTracePoint};
use aya::{Btf as AyaBtf, Ebpf};

use super::backend::{Backend, Hook, Kind, Point};

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

/// Attaches every hook of a backend; returns what optional hooks would have shown.
pub(super) fn attach(
    ebpf: &mut Ebpf,
    backend: Backend,
    functions: &BTreeSet<&'static str>,
    btf: &AyaBtf,
) -> Result<Vec<&'static str>, AttachError> {
    let mut missing = Vec::new();
    for hook in backend.hooks() {
        let point = match point_of(hook, functions) {
            Ok(point) => point,
            Err(error) if hook.essential => return Err(error),
            Err(_) => {
                missing.push(hook.shows);
                continue;
            }
        };
        match point.kind {
            Kind::Fentry => attach_fentry(ebpf, point, btf)?,
            Kind::Fexit => attach_fexit(ebpf, point, btf)?,
            Kind::Kprobe => attach_kprobe(ebpf, point)?,
            Kind::RawTracepoint => attach_tracepoint(ebpf, point)?,
        }
    }
    Ok(missing)
}

fn point_of(hook: &'static Hook, functions: &BTreeSet<&'static str>) -> Result<&'static Point, AttachError> {
    let exists = |point: &&Point| point.kind == Kind::RawTracepoint || functions.contains(point.target);
    hook.points.iter().find(exists).ok_or_else(|| AttachError::NoFunction {
        shows: hook.shows,
        functions: hook.points.iter().map(|point| point.target).collect::<Vec<_>>().join(" or "),
    })
}

pub(super) fn unload(program: &mut Program, kind: Kind) -> Result<(), ProgramError> {
    match kind {
        Kind::Fentry => <&mut FEntry>::try_from(program)?.unload(),
        Kind::Fexit => <&mut FExit>::try_from(program)?.unload(),
        Kind::Kprobe => <&mut KProbe>::try_from(program)?.unload(),
        Kind::RawTracepoint => <&mut RawTracePoint>::try_from(program)?.unload(),
    }
}

fn attach_fentry(ebpf: &mut Ebpf, point: &'static Point, btf: &AyaBtf) -> Result<(), AttachError> {
    let program: &mut FEntry = typed(ebpf, point.program)?;
    program.load(point.target, btf).map_err(|error| load_error(point.program, &error))?;
    program.attach().map(drop).map_err(|error| attach_error(point.program, point.target, &error))
}

fn attach_fexit(ebpf: &mut Ebpf, point: &'static Point, btf: &AyaBtf) -> Result<(), AttachError> {
    let program: &mut FExit = typed(ebpf, point.program)?;
    program.load(point.target, btf).map_err(|error| load_error(point.program, &error))?;
    program.attach().map(drop).map_err(|error| attach_error(point.program, point.target, &error))
}

fn attach_kprobe(ebpf: &mut Ebpf, point: &'static Point) -> Result<(), AttachError> {
    // The return first: a call that is between the two is then seen by neither.
    for name in [Some(point.program), point.entry].into_iter().flatten() {
        let program: &mut KProbe = typed(ebpf, name)?;
        match program.load() {
            // One program serves several functions.
            Ok(()) | Err(ProgramError::AlreadyLoaded) => {}
            Err(error) => return Err(load_error(name, &error)),
        }
        program.attach(point.target, 0).map_err(|error| attach_error(name, point.target, &error))?;
    }
    Ok(())
}

fn attach_tracepoint(ebpf: &mut Ebpf, point: &'static Point) -> Result<(), AttachError> {
    let program: &mut RawTracePoint = typed(ebpf, point.program)?;
    program.load().map_err(|error| load_error(point.program, &error))?;
    program.attach(point.target).map(drop).map_err(|error| attach_error(point.program, point.target, &error))
}

pub(super) fn typed<'a, T>(ebpf: &'a mut Ebpf, program: &'static str) -> Result<&'a mut T, AttachError>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    let missing = || AttachError::Load { program, reason: "the embedded object lacks it".to_owned() };
    ebpf.program_mut(program).ok_or_else(missing)?.try_into().map_err(|error| load_error(program, &error))
}

pub(super) fn load_error(program: &'static str, error: &ProgramError) -> AttachError {
    AttachError::Load { program, reason: reason(error) }
}

pub(super) fn attach_error(program: &'static str, target: &'static str, error: &ProgramError) -> AttachError {
    AttachError::Attach { program, target, reason: reason(error) }
}

/// Lines that the verifier closes every log with (`print_verification_stats`, kernel/bpf/verifier.c).
const STATISTICS: &[&str] =
    &["processed ", "verification time", "stack depth", "subprog ", "max_states", "func#"];

/// The kernel's own error, and of the verifier's log only the line that says why.
fn reason(error: &ProgramError) -> String {
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return reason_chain(error);
    };
    reason_with_log(io_error, &verifier_log.to_string())
}

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
