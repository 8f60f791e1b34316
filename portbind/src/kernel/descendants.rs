//! The wrapped command and its descendants. The kernel half keeps the list, because a process that leaves its parent (a
//! daemon) cannot be identified afterwards.

use std::collections::BTreeMap;

use aya::maps::{HashMap, MapData, MapError};

use super::attach::{Attached, Plan};
use super::backend::{Kind, Point};
use super::error::{AttachError, TraceError};
use super::maps::Maps;
use crate::kernel::collection::Collection;

/// The map of descendants, by thread group id.
pub(super) const MAP: &str = "DESCENDANTS";

/// The programs and their hooks.
pub(super) const POINTS: [Point; 2] =
    [point("sched_process_exit", "descendants_exit"), point("sched_process_fork", "descendants_fork")];

const fn point(target: &'static str, program: &'static str) -> Point {
    Point { kind: Kind::RawTracepoint, target, program, entry: None }
}

/// Starts to follow the descendants of the processes in the map.
pub(super) fn attach(half: &mut Collection) -> Result<Attached, AttachError> {
    Attached::at(half, &Plan::of_points(POINTS.each_ref().to_vec()), &BTreeMap::new(), None)
}

/// Adds a process.
pub(super) fn adopt(maps: &mut Maps, pid: u32) -> Result<(), TraceError> {
    let error = |error: MapError| TraceError::Load(error.to_string());
    let mut map: HashMap<&mut MapData, u32, u32> = HashMap::try_from(maps.get_mut(MAP)?).map_err(error)?;
    map.insert(pid, 0, 0).map_err(error)
}

/// The living descendants, as far as the map can be read while it changes.
pub(super) fn members(maps: &Maps) -> Vec<u32> {
    let Some(map) = maps.get(MAP) else { return Vec::new() };
    let map: Result<HashMap<&MapData, u32, u32>, MapError> = HashMap::try_from(map);
    map.map(|map| map.keys().filter_map(Result::ok).collect()).unwrap_or_default()
}
