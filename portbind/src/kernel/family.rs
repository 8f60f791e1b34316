//! The wrapped command and its descendants: the kernel half keeps the list, because a process that leaves its
//! parent (a daemon) cannot be told from any other afterwards.

use aya::Ebpf;
use aya::maps::{HashMap, MapData, MapError};
use aya::programs::RawTracePoint;

use super::attach::{AttachError, attach_error, load_error, typed};
use super::tracer::TraceError;

/// The map of them, by thread group id.
pub(super) const MAP: &str = "FAMILY";

/// Programs, and the raw tracepoint each is attached to.
const PROGRAMS: [(&str, &str); 2] =
    [("family_exit", "sched_process_exit"), ("family_fork", "sched_process_fork")];

/// Follows the descendants of the processes in the map.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<(), AttachError> {
    for (name, target) in PROGRAMS {
        let program: &mut RawTracePoint = typed(ebpf, name)?;
        program.load().map_err(|error| load_error(name, &error))?;
        program.attach(target).map_err(|error| attach_error(name, target, &error))?;
    }
    Ok(())
}

/// Adds a process.
pub(super) fn adopt(ebpf: &mut Ebpf, pid: u32) -> Result<(), TraceError> {
    let error = |error: MapError| TraceError::Load(error.to_string());
    let map = ebpf.map_mut(MAP).ok_or_else(|| TraceError::Load(format!("no map {MAP}")))?;
    let mut map: HashMap<&mut MapData, u32, u32> = HashMap::try_from(map).map_err(error)?;
    map.insert(pid, 0, 0).map_err(error)
}

/// The processes that live, as far as the map can be read while it changes.
pub(super) fn members(ebpf: &Ebpf) -> Vec<u32> {
    let Some(map) = ebpf.map(MAP) else { return Vec::new() };
    let map: Result<HashMap<&MapData, u32, u32>, MapError> = HashMap::try_from(map);
    map.map(|map| map.keys().filter_map(Result::ok).collect()).unwrap_or_default()
}
