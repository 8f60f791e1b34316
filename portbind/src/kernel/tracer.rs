//! Loads the kernel half, attaches a backend, and owns both until it is dropped.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::rc::Rc;

use aya::maps::{Array, MapData, PerCpuArray, RingBuf};
use aya::programs::{FEntry, FExit, KProbe, Program, ProgramError, RawTracePoint};
use aya::{Btf as AyaBtf, Ebpf, EbpfLoader, VerifierLogLevel};
use portbind_ebpf::abi::{Filter, PORT_WORDS};
use portbind_ebpf::layout::Layout;
use zerocopy::IntoBytes;

use super::backend::{Backend, Hook, Kind, Point};
use super::btf::{Btf, BtfError};
use super::debug::{self, DebugLines};
use super::layout::{self, LayoutError};
use super::object::OBJECT;
use super::sockets::OpenSockets;

/// Where the running kernel describes its own types.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Why tracing cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The kernel's type information cannot be read.
    #[error("cannot read {KERNEL_BTF}: {0}")]
    NoBtf(#[source] io::Error),
    /// The kernel's type information makes no sense.
    #[error("cannot make sense of {KERNEL_BTF}: {0}")]
    BadBtf(#[from] BtfError),
    /// The kernel lacks what every backend needs.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The kernel half could not be loaded at all.
    #[error("cannot load the kernel half: {0}")]
    Load(String),
    /// Every backend that was tried was refused.
    #[error("no backend works on this kernel{}", list(.0))]
    NoBackend(Vec<(Backend, AttachError)>),
}

fn list(tried: &[(Backend, AttachError)]) -> String {
    tried.iter().map(|(backend, error)| format!("\n  {}: {error}", backend.as_str())).collect()
}

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

/// What a tracer is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Backends to try, in this order.
    pub backends: Vec<Backend>,
    /// What to tell.
    pub filter: Filter,
    /// Wanted ports, one bit each; consulted only if the filter says so.
    pub ports: Option<Box<[u64; PORT_WORDS as usize]>>,
    /// Make room for debug lines.
    pub debug: bool,
}

impl Options {
    /// One backend, telling every EADDRINUSE.
    #[must_use]
    pub fn only(backend: Backend) -> Self {
        Self { backends: vec![backend], filter: Filter::ANY, ports: None, debug: false }
    }
}

/// The kernel half at work. Dropping it detaches everything.
#[derive(Debug)]
pub struct Tracer {
    ebpf: Rc<RefCell<Ebpf>>,
    /// The backend that works.
    pub backend: Backend,
    /// The backends that were tried before it, and what each was refused with.
    pub refused: Vec<(Backend, AttachError)>,
    /// What it goes without.
    pub missing: Vec<&'static str>,
    btf: AyaBtf,
}

/// The kernel's type information, read once.
///
/// # Errors
/// If it cannot be read.
pub fn read_kernel_btf() -> Result<Vec<u8>, TraceError> {
    std::fs::read(KERNEL_BTF).map_err(TraceError::NoBtf)
}

impl Tracer {
    /// Loads the kernel half and attaches the first backend that works.
    ///
    /// # Errors
    /// If none works, with what each was refused with.
    pub fn start(options: &Options) -> Result<Self, TraceError> {
        let bytes = read_kernel_btf()?;
        let btf = Btf::parse(&bytes)?;
        let layout = layout::resolve(&btf)?;
        let functions = known_functions(&btf);
        let aya_btf = AyaBtf::parse(&bytes, aya::Endianness::default())
            .map_err(|error| TraceError::Load(error.to_string()))?;
        let mut refused = Vec::new();
        for &backend in &options.backends {
            // Afresh for each: what a refused backend had loaded goes with its object.
            let mut ebpf = load(&layout, options, &aya_btf)?;
            match attach(&mut ebpf, backend, &functions, &aya_btf) {
                Ok(missing) => {
                    let ebpf = Rc::new(RefCell::new(ebpf));
                    return Ok(Self { ebpf, backend, refused, missing, btf: aya_btf });
                }
                Err(error) => refused.push((backend, error)),
            }
        }
        Err(TraceError::NoBackend(refused))
    }

    /// Takes the ring buffer of records out.
    ///
    /// # Errors
    /// If it cannot be mapped, or was taken before.
    pub fn take_records(&self) -> Result<RingBuf<MapData>, TraceError> {
        let map = self
            .ebpf
            .borrow_mut()
            .take_map("RECORDS")
            .ok_or_else(|| TraceError::Load("no map RECORDS".to_owned()))?;
        RingBuf::try_from(map).map_err(|error| TraceError::Load(error.to_string()))
    }

    /// Sums a counter of the kernel half over all CPUs (`portbind_ebpf::abi::counter`).
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn count(&self, index: u32) -> Result<u64, TraceError> {
        let read = || -> Result<u64, aya::maps::MapError> {
            let ebpf = self.ebpf.borrow();
            let Some(map) = ebpf.map("COUNTERS") else { return Ok(0) };
            let map: PerCpuArray<&MapData, u64> = PerCpuArray::try_from(map)?;
            Ok(map.get(&index, 0)?.iter().sum())
        };
        read().map_err(|error| TraceError::Load(error.to_string()))
    }

    /// Calls that the kernel passed over because a run of the same program was interrupted on that CPU
    /// (`recursion_misses`, bpf_prog_show_fdinfo in kernel/bpf/syscall.c; from 5.12 on). Most are of no
    /// interest; a refusal among them went unseen.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        let ebpf = self.ebpf.borrow();
        let programs = ebpf.programs().filter_map(|(_, program)| program.fd().ok());
        let misses = |fd: &aya::programs::ProgramFd| {
            let path = format!("/proc/self/fdinfo/{}", fd.as_fd().as_raw_fd());
            let text = std::fs::read_to_string(path).ok()?;
            let value = text.lines().find_map(|line| line.strip_prefix("recursion_misses:"))?;
            value.trim().parse::<u64>().ok()
        };
        programs.filter_map(misses).sum()
    }

    /// Detaches every program; what is in the ring buffer stays.
    pub fn detach(&self) {
        let mut ebpf = self.ebpf.borrow_mut();
        for point in self.backend.hooks().iter().flat_map(|hook| hook.points) {
            for name in [Some(point.program), point.entry].into_iter().flatten() {
                // Not every point of the table is in use; unloading what is not loaded is no error to act on.
                let _unloaded = ebpf.program_mut(name).map(|program| unload(program, point.kind));
            }
        }
    }

    /// Has the kernel half tell every bind and listen system call, refused or not, in debug lines.
    ///
    /// # Errors
    /// If the kernel refuses the program.
    pub fn debug_lines(&self) -> Result<DebugLines, AttachError> {
        debug::attach(&mut self.ebpf.borrow_mut())
    }

    /// Loads the iterator over open sockets.
    ///
    /// # Errors
    /// If the kernel refuses it; `/proc` tells the same, slower.
    pub fn open_sockets(&self) -> Result<OpenSockets, AttachError> {
        OpenSockets::load(Rc::clone(&self.ebpf), &self.btf)
    }
}

fn load(layout: &Layout, options: &Options, btf: &AyaBtf) -> Result<Ebpf, TraceError> {
    let mut loader = EbpfLoader::new();
    if !options.debug {
        // One page is the least that a ring buffer takes.
        loader.map_max_entries(debug::MAP, 4096);
    }
    let mut ebpf = loader
        .btf(Some(btf))
        .verifier_log_level(VerifierLogLevel::STATS)
        .override_global("LAYOUT", layout.as_bytes(), true)
        .override_global("FILTER", options.filter.as_bytes(), true)
        .load(OBJECT)
        .map_err(|error| TraceError::Load(reason_chain(&error)))?;
    if let Some(words) = &options.ports {
        let error = |error: aya::maps::MapError| TraceError::Load(error.to_string());
        let map = ebpf.map_mut("PORTS").ok_or_else(|| TraceError::Load("no map PORTS".to_owned()))?;
        let mut map: Array<&mut MapData, u64> = Array::try_from(map).map_err(error)?;
        for (index, word) in (0..PORT_WORDS).zip(words.iter()) {
            map.set(index, word, 0).map_err(error)?;
        }
    }
    Ok(ebpf)
}

/// Names of the functions in any backend's table that the kernel has.
fn known_functions(btf: &Btf<'_>) -> BTreeSet<&'static str> {
    [Backend::Fexit, Backend::Kprobe]
        .iter()
        .flat_map(|backend| backend.hooks())
        .flat_map(|hook| hook.points)
        .map(|point| point.target)
        .filter(|target| btf.has_function(target))
        .collect()
}

/// Attaches every hook of a backend; returns what optional hooks would have shown.
fn attach(
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

fn unload(program: &mut Program, kind: Kind) -> Result<(), ProgramError> {
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
    let log = verifier_log.to_string();
    let is_statistics = |line: &str| STATISTICS.iter().any(|start| line.starts_with(start));
    let telling = log.lines().map(str::trim).rev().find(|line| !line.is_empty() && !is_statistics(line));
    match telling {
        Some(line) => format!("{io_error} ({line})"),
        None => io_error.to_string(),
    }
}

fn reason_chain(error: &dyn std::error::Error) -> String {
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
