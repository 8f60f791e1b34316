//! Loads the kernel half, attaches a backend, and owns both until it is dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::thread;

use aya::maps::{Array, MapData, PerCpuArray};
use portbind_abi::layout::Layout;
use portbind_abi::{Count, Filter, PORT_WORDS, Party, Quota, RefusalKey, WINDOW, counter};

use super::attach::{Attached, Plan};
use super::backend::Backend;
use super::btf::Btf;
use super::coalesce::{self, Counts, More};
use super::debug::{self, DebugLines};
use super::error::{AttachError, TraceError};
use super::maps::Maps;
use super::object::{LOOP, Packed};
use super::sockets::{self, OpenSockets};
use super::{blind, descendants, layout};
use crate::host::clock::tick_ns;
use crate::host::generation;
use crate::kernel::collection::{ALWAYS_NEEDED, Collection, Parsed};
use crate::order::collect_sorted;
use crate::sys::file_bytes::{FileBytes, kernel_btf};
use crate::sys::ring::Ring;

/// The settings of a tracer.
#[derive(Clone, Debug)]
pub struct Options {
    /// Backends to try, in this order.
    pub backends: Vec<Backend>,
    /// What to report.
    pub filter: Filter,
    /// Wanted ports, one bit each; used only if the filter says so.
    pub ports: Option<Box<[u64; PORT_WORDS as usize]>>,
    /// Follow the descendants of adopted processes ([`Tracer::adopt`]).
    pub descendants: bool,
}

impl Options {
    /// One backend, reporting every EADDRINUSE.
    #[must_use]
    pub fn only(backend: Backend) -> Self {
        Self { backends: vec![backend], filter: Filter::ANY, ports: None, descendants: false }
    }
}

/// The active kernel half. Dropping it detaches everything.
#[derive(Debug)]
pub struct Tracer {
    kernel: Kernel,
    maps: RefCell<Maps>,
    counts: RefCell<Counts>,
    attached: RefCell<Attached>,
    /// The value last written by [`Self::await_ends`].
    awaits_ends: Cell<bool>,
    /// Follows the descendants, if requested.
    _descendants: Option<Attached>,
    /// The backend in use.
    pub backend: Backend,
    /// The backends tried before it, each with its error.
    pub refused: Vec<(Backend, AttachError)>,
    /// What the missing optional hooks would have shown.
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
    /// If no backend works; the error has each backend's reason.
    pub fn start(options: &Options) -> Result<Self, TraceError> {
        let (kernel, mut parsed) = Kernel::read_beside(|packed| prepare(packed, options))?;
        let mut refused = Vec::new();
        for &backend in &options.backends {
            match Working::try_with(backend, &kernel, &mut parsed, options)? {
                Ok(Working { mut collection, attached, missing, open_sockets }) => {
                    if blind::is_blind(&options.filter, || count(&collection.maps, counter::PROOFS))? {
                        refused.push((backend, AttachError::Blind));
                        continue;
                    }
                    let descendants =
                        options.descendants.then(|| descendants::attach(&mut collection)).transpose();
                    return Ok(Self {
                        kernel,
                        // The object that the programs were made from is dropped.
                        maps: RefCell::new(collection.maps),
                        counts: RefCell::default(),
                        attached: RefCell::new(attached),
                        awaits_ends: Cell::new(false),
                        _descendants: descendants.map_err(TraceError::Descendants)?,
                        backend,
                        refused,
                        missing,
                        open_sockets,
                    });
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
        let map = self.maps.borrow_mut().take("RECORDS");
        let map = map.ok_or_else(|| TraceError::Load("no map RECORDS".to_owned()))?;
        Ring::open(map).map_err(|error| TraceError::Load(error.to_string()))
    }

    /// The sum of a counter of the kernel half over all CPUs (`portbind_abi::counter`).
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn count(&self, index: u32) -> Result<u64, TraceError> {
        count(&self.maps.borrow(), index)
    }

    /// The number of refusals of each kind that were only counted since the last call.
    #[must_use]
    pub fn take_counts(&self) -> Vec<More<RefusalKey, Count>> {
        self.counts.borrow_mut().take_counts(&mut self.maps.borrow_mut())
    }

    /// The number of refusals of each process, by thread group id, that were counted without comparing them since the
    /// last call.
    #[must_use]
    pub fn take_quotas(&self) -> Vec<More<u32, Quota>> {
        self.counts.borrow_mut().take_quotas(&mut self.maps.borrow_mut())
    }

    /// The number of lost refusals of each party, as far as recorded, most first.
    #[must_use]
    pub fn lost_by_party(&self) -> Vec<(Party, u64)> {
        coalesce::lost(&self.maps.borrow())
    }

    /// Calls that the kernel skipped because a run of the same program was interrupted on that CPU. A refusal among
    /// them was not seen.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.attached.borrow().passed_over()
    }

    /// Adds a process and all its future descendants to the followed processes.
    ///
    /// # Errors
    /// If the map cannot be written.
    pub fn adopt(&self, pid: u32) -> Result<(), TraceError> {
        descendants::adopt(&mut self.maps.borrow_mut(), pid)
    }

    /// The living processes among the followed ones.
    #[must_use]
    pub fn descendants(&self) -> Vec<u32> {
        descendants::members(&self.maps.borrow())
    }

    /// Sets whether the kernel half wakes portbind for changes of sockets, or leaves them for the next read.
    ///
    /// # Errors
    /// If the map cannot be written.
    pub fn await_ends(&self, at_once: bool) -> Result<(), TraceError> {
        if self.awaits_ends.replace(at_once) == at_once {
            return Ok(());
        }
        let mut maps = self.maps.borrow_mut();
        let error = |error: aya::maps::MapError| TraceError::Load(error.to_string());
        let mut map: Array<&mut MapData, u32> = Array::try_from(maps.get_mut("AWAITED")?).map_err(error)?;
        map.set(0, u32::from(at_once), 0).map_err(error)
    }

    /// Detaches the backend; the contents of the ring buffer stay.
    pub fn detach(&self) {
        self.attached.take();
    }

    /// Makes the kernel half log every bind and listen system call, refused or not, as a debug line.
    ///
    /// # Errors
    /// If the kernel refuses the program.
    pub fn debug_lines(&self) -> Result<DebugLines, AttachError> {
        debug::attach(self.kernel.object, &self.kernel.layout)
    }

    /// The iterator over open sockets.
    ///
    /// # Errors
    /// If the kernel refuses it; `/proc` has the same information, but is slower.
    pub fn open_sockets(&self) -> Result<OpenSockets, AttachError> {
        self.open_sockets.clone()
    }
}

/// A backend that works.
struct Working {
    collection: Collection,
    attached: Attached,
    missing: Vec<&'static str>,
    open_sockets: Result<OpenSockets, AttachError>,
}

impl Working {
    /// Attaches a backend, or returns why the kernel refuses it.
    fn try_with(
        backend: Backend,
        kernel: &Kernel,
        parsed: &mut Option<Parsed>,
        options: &Options,
    ) -> Result<Result<Self, AttachError>, TraceError> {
        let plan = match Plan::of(backend, &kernel.functions) {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        // Parses the object again after a backend failed halfway: its loaded parts were dropped with its maps.
        let parsed = parsed.take().map_or_else(|| prepare(kernel.object, options), Ok)?;
        let mut collection = kernel.collection(parsed, backend, options)?;
        let iterator = OpenSockets::program(&collection, &kernel.functions);
        let attached = Attached::at(&mut collection, &plan, &kernel.functions, iterator.clone().ok());
        Ok(attached.map(|mut attached| {
            let loaded = attached.take_beside();
            let open_sockets =
                iterator.and_then(|(name, _)| OpenSockets::around(name, loaded, &mut collection));
            Self { collection, attached, missing: plan.missing, open_sockets }
        }))
    }
}

/// Loads only the iterator over open sockets from the kernel half.
///
/// # Errors
/// If the kernel refuses it, or has no type information; `/proc` has the same information, but is slower.
pub fn load_open_sockets() -> Result<OpenSockets, TraceError> {
    let (kernel, parsed) = Kernel::read_beside(Parsed::of)?;
    let wanted: Vec<_> = sockets::programs().collect();
    let parsed = parsed.map_or_else(|| Parsed::of(kernel.object), Ok)?;
    let mut collection = parsed.collection(&kernel.layout, &Filter::ANY, &wanted)?;
    OpenSockets::load(&mut collection, &kernel.functions).map_err(|error| TraceError::Load(error.to_string()))
}

/// Parses an object and creates the maps that every backend needs.
fn prepare(packed: Packed, options: &Options) -> Result<Parsed, TraceError> {
    let mut parsed = Parsed::of(packed)?;
    let maps = parsed.maps_mut();
    if !options.descendants {
        maps.set_entries(descendants::MAP, 1);
    }
    // A failure to create a map is reported when a program needs the map.
    ALWAYS_NEEDED.iter().for_each(|name| drop(maps.get_mut(name)));
    Ok(parsed)
}

/// Sums a counter of the kernel half over all CPUs.
fn count(maps: &Maps, index: u32) -> Result<u64, TraceError> {
    let read = || -> Result<u64, aya::maps::MapError> {
        let Some(map) = maps.get("COUNTERS") else { return Ok(0) };
        let map: PerCpuArray<&MapData, u64> = PerCpuArray::try_from(map)?;
        Ok(map.get(&index, 0)?.iter().sum())
    };
    read().map_err(|error| TraceError::Load(error.to_string()))
}

/// Facts about the running kernel, kept after its type information is freed.
#[derive(Debug)]
struct Kernel {
    layout: Layout,
    /// Ids of the kernel's functions and typedefs that any backend's table names, and of the iterator's function.
    functions: BTreeMap<&'static str, u32>,
    /// The kernel half for this kernel.
    object: Packed,
}

impl Kernel {
    /// Reads the facts about the kernel, while `with` prepares the object that the kernel most likely needs; `None` if
    /// the kernel needs the other object, or no thread could be started.
    fn read_beside<T: Send>(
        with: impl FnOnce(Packed) -> Result<T, TraceError> + Send,
    ) -> Result<(Self, Option<T>), TraceError> {
        let probable = Packed::most_probable(generation());
        thread::scope(|scope| {
            let beside = thread::Builder::new().spawn_scoped(scope, move || with(probable));
            let kernel = Self::read()?;
            let done =
                beside.ok().filter(|_| kernel.object == probable).and_then(|thread| thread.join().ok());
            Ok((kernel, done.transpose()?))
        })
    }

    fn read() -> Result<Self, TraceError> {
        let bytes = read_kernel_btf()?;
        let btf = Btf::parse(&bytes)?;
        let points = Backend::ALL.iter().flat_map(|backend| backend.hooks()).flat_map(|hook| hook.points);
        let names: Vec<_> =
            points.map(|point| point.target).chain(sockets::functions()).chain([LOOP]).collect();
        let functions: BTreeMap<_, _> =
            collect_sorted(btf.functions(&names).into_iter().chain(btf.typedefs(&names)));
        let layout = layout::resolve(&btf)?;
        let object = Packed::for_kernel(functions.contains_key(LOOP), &layout);
        Ok(Self { layout, functions, object })
    }

    /// The programs of a backend and its additional programs, ready to load.
    fn collection(
        &self,
        parsed: Parsed,
        backend: Backend,
        options: &Options,
    ) -> Result<Collection, TraceError> {
        let mut wanted = backend.programs();
        wanted.extend(sockets::programs());
        if options.descendants {
            wanted.extend(descendants::POINTS.iter().map(|point| point.program));
        }
        let filter = Filter { window: WINDOW / tick_ns().max(1), ..options.filter };
        let mut collection = parsed.collection(&self.layout, &filter, &wanted)?;
        if let Some(words) = &options.ports {
            let error = |error: aya::maps::MapError| TraceError::Load(error.to_string());
            let mut map: Array<&mut MapData, u64> =
                Array::try_from(collection.maps.get_mut("PORTS")?).map_err(error)?;
            for (index, word) in (0..PORT_WORDS).zip(words.iter()) {
                map.set(index, word, 0).map_err(error)?;
            }
        }
        Ok(collection)
    }
}
