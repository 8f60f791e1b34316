//! Loads the kernel half, attaches a backend, and owns both until it is dropped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::maps::{Array, MapData, PerCpuArray};
use aya::{Btf as AyaBtf, Ebpf, EbpfLoader, VerifierLogLevel};
use portbind_ebpf::abi::{Alike, Filter, PORT_WORDS, WINDOW};
use portbind_ebpf::layout::Layout;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zerocopy::IntoBytes;

use super::alike;
pub use super::attach::AttachError;
use super::attach::{attach, reason_chain, unload};
use super::backend::{Backend, Kind};
use super::btf::{Btf, BtfError, excerpt};
use super::debug::{self, DebugLines};
use super::family;
use super::layout::{self, LayoutError};
use super::object::object;
use super::sockets::{self, OpenSockets};
use crate::host::clock::tick_ns;
pub use crate::sys::file_bytes::KERNEL_BTF;
use crate::sys::file_bytes::{FileBytes, kernel_btf};
use crate::sys::ring::Ring;

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
    /// The descendants of a command cannot be followed.
    #[error("descendants cannot be followed: {0}")]
    Family(#[source] AttachError),
    /// Every backend that was tried was refused.
    #[error("no backend works on this kernel{}", list(.0))]
    NoBackend(Vec<(Backend, AttachError)>),
}

fn list(tried: &[(Backend, AttachError)]) -> String {
    tried.iter().map(|(backend, error)| format!("\n  {}: {error}", backend.as_str())).collect()
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
    /// Follow the descendants of the processes that are adopted ([`Tracer::adopt`]).
    pub family: bool,
}

impl Options {
    /// One backend, telling every EADDRINUSE.
    #[must_use]
    pub fn only(backend: Backend) -> Self {
        Self { backends: vec![backend], filter: Filter::ANY, ports: None, debug: false, family: false }
    }
}

/// The kernel half at work. Dropping it detaches everything.
#[derive(Debug)]
pub struct Tracer {
    ebpf: RefCell<Ebpf>,
    /// The backend that works.
    pub backend: Backend,
    /// The backends that were tried before it, and what each was refused with.
    pub refused: Vec<(Backend, AttachError)>,
    /// What it goes without.
    pub missing: Vec<&'static str>,
    open_sockets: Result<OpenSockets, AttachError>,
}

/// The kernel's type information.
///
/// # Errors
/// If it cannot be read.
pub fn read_kernel_btf() -> Result<FileBytes, TraceError> {
    kernel_btf().map_err(TraceError::NoBtf)
}

impl Tracer {
    /// Loads the kernel half and attaches the first backend that works.
    ///
    /// # Errors
    /// If none works, with what each was refused with.
    pub fn start(options: &Options) -> Result<Self, TraceError> {
        let Kernel { layout, functions, object } = Kernel::read()?;
        let attachable = functions.keys().copied().collect();
        let mut refused = Vec::new();
        for &backend in &options.backends {
            // Afresh for each: what a refused backend had loaded goes with its object.
            let mut ebpf = load(object, &layout, options)?;
            // For as long as it is needed only: it is large.
            let btf = aya_btf(backend, &functions)?;
            match attach(&mut ebpf, backend, &attachable, &btf) {
                Ok(missing) => {
                    if options.family {
                        family::attach(&mut ebpf).map_err(TraceError::Family)?;
                    }
                    // Before the ring buffer is mapped: both are at their largest then.
                    let open_sockets =
                        OpenSockets::load(object, &ebpf, functions.get(sockets::FUNCTION).copied());
                    let ebpf = RefCell::new(ebpf);
                    return Ok(Self { ebpf, backend, refused, missing, open_sockets });
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
    pub fn take_records(&self) -> Result<Ring, TraceError> {
        let map = self
            .ebpf
            .borrow_mut()
            .take_map("RECORDS")
            .ok_or_else(|| TraceError::Load("no map RECORDS".to_owned()))?;
        Ring::open(map).map_err(|error| TraceError::Load(error.to_string()))
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

    /// How many refusals of each kind were only counted, in all ([`Filter::burst`]).
    #[must_use]
    pub fn counted_alike(&self) -> Vec<(Alike, u64)> {
        alike::counted(&self.ebpf.borrow())
    }

    /// How many refusals of each process, by thread group id, were counted without a look, in all.
    #[must_use]
    pub fn not_looked_at(&self) -> Vec<(u32, u64)> {
        alike::not_looked_at(&self.ebpf.borrow())
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

    /// Counts a process and all its descendants to the family.
    ///
    /// # Errors
    /// If the map of them cannot be written.
    pub fn adopt(&self, pid: u32) -> Result<(), TraceError> {
        family::adopt(&mut self.ebpf.borrow_mut(), pid)
    }

    /// The processes of the family that live.
    #[must_use]
    pub fn family(&self) -> Vec<u32> {
        family::members(&self.ebpf.borrow())
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

    /// The iterator over open sockets.
    ///
    /// # Errors
    /// If the kernel refuses it; `/proc` tells the same, slower.
    pub fn open_sockets(&self) -> Result<OpenSockets, AttachError> {
        self.open_sockets.clone()
    }
}

/// A loader that has not read the kernel's types: `EbpfLoader::new` takes long to read all of them, for
/// relocations that our object does not have, and does without if the file cannot be opened.
fn loader<'a>() -> io::Result<EbpfLoader<'a>> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit })?;
    let loader = EbpfLoader::new();
    setrlimit(Resource::Nofile, limit)?;
    Ok(loader)
}

/// Loads the iterator over open sockets, and nothing else of the kernel half.
///
/// # Errors
/// If the kernel refuses it, or has no type information; `/proc` tells the same, slower.
pub fn load_open_sockets() -> Result<OpenSockets, TraceError> {
    let Kernel { layout, functions, object } = Kernel::read()?;
    let options = Options { backends: Vec::new(), ..Options::only(Backend::Tracepoint) };
    let ebpf = load(object, &layout, &options)?;
    OpenSockets::load(object, &ebpf, functions.get(sockets::FUNCTION).copied())
        .map_err(|error| TraceError::Load(error.to_string()))
}

fn load(object: &[u8], layout: &Layout, options: &Options) -> Result<Ebpf, TraceError> {
    let mut loader = loader().map_err(|error| TraceError::Load(error.to_string()))?;
    if !options.debug {
        // One page is the least that a ring buffer takes.
        loader.map_max_entries(debug::MAP, 4096);
    }
    if options.filter.burst == 0 {
        loader.map_max_entries(alike::MAP, 1);
    }
    if !options.family {
        loader.map_max_entries(family::MAP, 1);
    }
    let filter = Filter { window: WINDOW / tick_ns().max(1), ..options.filter };
    let mut ebpf = loader
        .verifier_log_level(VerifierLogLevel::STATS)
        .override_global("LAYOUT", layout.as_bytes(), true)
        .override_global("FILTER", filter.as_bytes(), true)
        .load(object)
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

/// What is known of the running kernel once its type information has been read and let go of.
struct Kernel {
    layout: Layout,
    /// Ids of the functions that it has, of those in any backend's table and the one of the iterator.
    functions: BTreeMap<&'static str, u32>,
    /// The kernel half that is made for it.
    object: &'static [u8],
}

impl Kernel {
    fn read() -> Result<Self, TraceError> {
        let bytes = read_kernel_btf()?;
        let btf = Btf::parse(&bytes)?;
        let targets = [Backend::Fexit, Backend::Kprobe]
            .iter()
            .flat_map(|backend| backend.hooks())
            .flat_map(|hook| hook.points)
            .map(|point| point.target);
        let names: Vec<_> = targets.chain([sockets::FUNCTION]).collect();
        let functions = btf.functions(&names).into_iter().collect();
        let layout = layout::resolve(&btf)?;
        let object = object(&btf, &layout);
        Ok(Self { layout, functions, object })
    }
}

/// The types by which aya finds the functions of a backend; none for those that need none.
fn aya_btf(backend: Backend, functions: &BTreeMap<&'static str, u32>) -> Result<AyaBtf, TraceError> {
    let points = backend.hooks().iter().flat_map(|hook| hook.points);
    let by_type = points.filter(|point| matches!(point.kind, Kind::Fentry | Kind::Fexit));
    let wanted: Vec<_> =
        by_type.filter_map(|point| Some((point.target, *functions.get(point.target)?))).collect();
    AyaBtf::parse(&excerpt(&wanted), aya::Endianness::default())
        .map_err(|error| TraceError::Load(error.to_string()))
}
