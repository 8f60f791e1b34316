//! Attaches programs to their hooks.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use aya_obj::generated::bpf_attach_type::{BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_TRACE_RAW_TP};

use super::backend::{Backend, Hook, Kind, Point};
use super::error::AttachError;
use super::load::{Loading, at_once, load};
use crate::diagnosis::rule::Generation;
use crate::host::generation;
use crate::kernel::collection::Collection;
use crate::order::{collect_sorted, sort_by_key};
use crate::sys::tracing::{self, Kprobes, Place, Program, When};

/// Attached programs; dropping this detaches them.
#[derive(Debug, Default)]
pub(super) struct Attached {
    links: Vec<OwnedFd>,
    programs: BTreeMap<&'static str, OwnedFd>,
    kprobes: Option<Probes>,
    /// A program that is only loaded.
    beside: Option<Result<OwnedFd, AttachError>>,
}

/// The points that a backend attaches on the running kernel.
#[derive(Debug)]
pub(super) struct Plan {
    points: Vec<&'static Point>,
    /// What the missing optional hooks would have shown.
    pub(super) missing: Vec<&'static str>,
    kprobes: Option<Probes>,
}

/// How probes of functions are made.
#[derive(Clone, Copy, Debug)]
enum Probes {
    /// An event for each probe. The kernel misses returns if many calls are in progress (`rethook_try_get`,
    /// kernel/trace/rethook.c, v6.18).
    Events(Kprobes),
    /// The function graph tracer, which keeps the calls in progress with their threads (kernel/trace/fprobe.c, since
    /// 6.14).
    Graph,
}

impl Probes {
    const GRAPH_SINCE: Generation = Generation::new(6, 14);

    /// The better kind that works at this point.
    fn at(point: &Point) -> io::Result<Self> {
        let place = Place::KprobeMulti;
        let tried = || {
            let program = load(&Program::shortest(point.program, place)).ok()?;
            let target = CString::new(point.target).ok()?;
            tracing::attach_multi(program.as_fd(), &target, When::Return).ok()
        };
        match generation() >= Self::GRAPH_SINCE && tried().is_some() {
            true => Ok(Self::Graph),
            false => Kprobes::read().map(Self::Events),
        }
    }

    const fn place(self) -> Place {
        match self {
            Self::Events(_) => Place::Kprobe,
            Self::Graph => Place::KprobeMulti,
        }
    }

    fn attach(self, program: BorrowedFd<'_>, function: &CStr, when: When) -> io::Result<OwnedFd> {
        match self {
            Self::Events(events) => events.attach(program, function, when),
            Self::Graph => tracing::attach_multi(program, function, when),
        }
    }
}

impl Plan {
    /// A plan of these points, which need no probes.
    pub(super) const fn of_points(points: Vec<&'static Point>) -> Self {
        Self { points, missing: Vec::new(), kprobes: None }
    }

    /// A plan with a point for every hook of a backend. It fails early, before anything is prepared, if the kernel does
    /// not allow this kind of hook. `functions` has the type ids of the target functions.
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
            plan.kprobes = Some(Probes::at(point).map_err(|error| refused(point, point.program, &error))?);
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

/// Where the programs of a point run.
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
    /// Loads and attaches the programs of a plan; `functions` has the type ids of the targets. One more program,
    /// `beside`, is loaded while the verifier checks the long ones.
    pub(super) fn at(
        half: &mut Collection,
        plan: &Plan,
        functions: &BTreeMap<&'static str, u32>,
        beside: Option<(&'static str, Place)>,
    ) -> Result<Self, AttachError> {
        let mut attached = Self { kprobes: plan.kprobes, ..Self::default() };
        let mut programs: BTreeMap<_, _> = collect_sorted(beside);
        for point in &plan.points {
            let place = match (place_of(point, functions), plan.kprobes) {
                (Place::Kprobe, Some(probes)) => probes.place(),
                (place, _) => place,
            };
            let wanted = point.programs().filter(|&name| name == point.program || half.has(name));
            programs.extend(wanted.map(|name| (name, place)));
        }
        // Shortest first: attaching takes time too, which overlaps with the verifier's work on the longer programs.
        let mut points = plan.points.clone();
        sort_by_key(&mut points, |point| half.length_of(point.program));
        let ready = half.ready(&programs)?;
        at_once(&ready, |loading| {
            attached.beside = beside.and_then(|(name, _)| loading.take(name));
            points.iter().try_for_each(|point| attached.add(loading, point))
        })?;
        Ok(attached)
    }

    /// The program loaded beside the others.
    pub(super) fn take_beside(&mut self) -> Option<Result<OwnedFd, AttachError>> {
        self.beside.take()
    }

    /// Attaches the programs of a point.
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

    /// Attaches a loaded program.
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

    /// Calls that the kernel skipped because a run of the same program was interrupted on that CPU (`recursion_misses`,
    /// bpf_prog_show_fdinfo in kernel/bpf/syscall.c; since 5.12). Most of them are irrelevant; a refusal among them is
    /// not seen.
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
