//! Programs to the places where they run.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use aya_obj::generated::bpf_attach_type::{BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_TRACE_RAW_TP};

use super::backend::{Backend, Hook, Kind, Point};
use super::error::AttachError;
use super::load::{Loading, at_once, load};
use crate::kernel::collection::Collection;
use crate::sys::tracing::{self, Kprobes, Place, Program, When};

/// Programs at work, until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Attached {
    links: Vec<OwnedFd>,
    programs: BTreeMap<&'static str, OwnedFd>,
    kprobes: Option<Kprobes>,
    /// A program that was only loaded.
    beside: Option<Result<OwnedFd, AttachError>>,
}

/// What a backend will attach on the running kernel.
#[derive(Debug)]
pub(super) struct Plan {
    points: Vec<&'static Point>,
    /// What optional hooks would have shown.
    pub(super) missing: Vec<&'static str>,
    kprobes: Option<Kprobes>,
}

impl Plan {
    /// Programs for these points, which need no probes.
    pub(super) const fn of_points(points: Vec<&'static Point>) -> Self {
        Self { points, missing: Vec::new(), kprobes: None }
    }

    /// A point for every hook of a backend. Where the kernel allows none of its kind, that shows here, before anything
    /// is made ready; `functions` has the ids of the types of their targets.
    pub(super) fn of(backend: Backend, functions: &BTreeMap<&'static str, u32>) -> Result<Self, AttachError> {
        let mut plan = Self::of_points(Vec::new());
        for hook in backend.hooks() {
            match point_of(hook, functions) {
                Ok(point) => plan.points.push(point),
                Err(error) if hook.essential => return Err(error),
                Err(_) => plan.missing.push(hook.shows),
            }
        }
        let is_kprobe = |point: &&&Point| place_of(point, functions) == Place::Kprobe;
        if let Some(point) = plan.points.iter().find(is_kprobe) {
            plan.kprobes = Some(Kprobes::read().map_err(|error| refused(point, point.program, &error))?);
        }
        if let Some(point) = plan.points.iter().find(|point| point.kind == Kind::Fexit) {
            load(&Program::shortest(point.program, place_of(point, functions)))?;
        }
        Ok(plan)
    }
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

/// What the programs of a point are made for.
fn place_of(point: &Point, functions: &BTreeMap<&'static str, u32>) -> Place {
    let typed = |kind| Place::Typed(kind, functions.get(point.target).copied().unwrap_or_default());
    match point.kind {
        Kind::Fentry => typed(BPF_TRACE_FENTRY),
        Kind::Fexit => typed(BPF_TRACE_FEXIT),
        Kind::Kprobe | Kind::Kretprobe => Place::Kprobe,
        Kind::RawTracepoint => Place::RawTracepoint,
        Kind::TypedTracepoint => typed(BPF_TRACE_RAW_TP),
    }
}

fn refused(point: &Point, program: &'static str, error: &io::Error) -> AttachError {
    AttachError::Attach { program, target: point.target, reason: error.to_string() }
}

impl Attached {
    /// Loads the programs of a plan, and attaches them; `functions` has the ids of the types of their targets. One program
    /// more is loaded `beside`, while the verifier is busy with the long ones.
    pub(super) fn at(
        half: &mut Collection,
        plan: &Plan,
        functions: &BTreeMap<&'static str, u32>,
        beside: Option<(&'static str, Place)>,
    ) -> Result<Self, AttachError> {
        let mut attached = Self { kprobes: plan.kprobes, ..Self::default() };
        let mut programs: BTreeMap<_, _> = beside.into_iter().collect();
        for point in &plan.points {
            let place = place_of(point, functions);
            let wanted = point.programs().filter(|&name| name == point.program || half.has(name));
            programs.extend(wanted.map(|name| (name, place)));
        }
        // The shortest first: attaching takes its time too, which the verifier has for the others.
        let mut points = plan.points.clone();
        points.sort_by_key(|point| half.length_of(point.program));
        let ready = half.ready(&programs)?;
        at_once(&ready, |loading| {
            attached.beside = beside.and_then(|(name, _)| loading.take(name));
            points.iter().try_for_each(|point| attached.add(loading, point))
        })?;
        Ok(attached)
    }

    /// The program that was loaded beside the others.
    pub(super) fn take_beside(&mut self) -> Option<Result<OwnedFd, AttachError>> {
        self.beside.take()
    }

    /// Puts the programs of a point there.
    fn add(&mut self, loading: &mut Loading<'_, '_>, point: &'static Point) -> Result<(), AttachError> {
        for name in point.programs() {
            if let Some(loaded) = loading.take(name) {
                self.programs.insert(name, loaded?);
            }
            if let Some(program) = self.programs.get(name) {
                let link = self.link(program.as_fd(), point, name);
                self.links.push(link.map_err(|error| refused(point, name, &error))?);
            }
        }
        Ok(())
    }

    /// Attaches a program that has been loaded.
    fn link(&self, program: BorrowedFd<'_>, point: &Point, name: &str) -> io::Result<OwnedFd> {
        let target = CString::new(point.target)?;
        match point.kind {
            Kind::Fentry | Kind::Fexit | Kind::TypedTracepoint => tracing::attach(program, None),
            Kind::RawTracepoint => tracing::attach(program, Some(&target)),
            Kind::Kprobe | Kind::Kretprobe => {
                let is_return = point.kind == Kind::Kretprobe && name == point.program;
                let when = if is_return { When::Return } else { When::Entry };
                self.kprobes.ok_or(io::ErrorKind::Unsupported)?.attach(program, &target, when)
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
