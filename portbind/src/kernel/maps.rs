//! The maps of the kernel half. A map is created on first use: most programs need few maps, and creating a map with
//! room for thousands of entries takes a fraction of a millisecond.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd};

use aya::maps::{Map, MapData};
use aya_obj::EbpfSectionKind;
use aya_obj::maps::Map as Definition;

use super::error::{TraceError, reason_chain};
use crate::sys::bpf;

/// Maps by name, and by the numbers that instructions use until the maps are created.
#[derive(Debug)]
pub(super) struct Maps {
    /// Definitions, indexed by number.
    definitions: Vec<(String, Definition)>,
    /// Created maps, by number.
    made: BTreeMap<usize, Map>,
}

impl Maps {
    pub(super) fn new(definitions: impl IntoIterator<Item = (String, Definition)>) -> Self {
        Self { definitions: definitions.into_iter().collect(), made: BTreeMap::new() }
    }

    /// Sets the number of entries of a map that has not been created yet.
    pub(super) fn set_entries(&mut self, map: &str, entries: u32) {
        let definition = self.definitions.iter_mut().find(|(name, _)| name == map);
        if let Some((_, definition)) = definition {
            definition.set_max_entries(entries);
        }
    }

    /// A created map.
    pub(super) fn get(&self, name: &str) -> Option<&Map> {
        self.made.get(&self.number(name)?)
    }

    /// A map, created if necessary.
    pub(super) fn get_mut(&mut self, name: &str) -> Result<&mut Map, TraceError> {
        let missing = || TraceError::Load(format!("no map {name}"));
        let number = self.number(name).ok_or_else(missing)?;
        self.make(number).map_err(TraceError::Load)?;
        self.made.get_mut(&number).ok_or_else(missing)
    }

    /// Removes a map and returns it.
    pub(super) fn take(&mut self, name: &str) -> Option<Map> {
        self.made.remove(&self.number(name)?)
    }

    /// Creates the map with this number, if necessary.
    pub(super) fn make(&mut self, number: usize) -> Result<(), String> {
        if !self.made.contains_key(&number) {
            let unknown = || format!("there is no map {number}");
            let (name, definition) = self.definitions.get(number).ok_or_else(unknown)?;
            let map = make(name, definition.clone())?;
            self.made.insert(number, map);
        }
        Ok(())
    }

    /// The descriptor of the map with this number, if it was created.
    pub(super) fn descriptor(&self, number: usize) -> Option<RawFd> {
        self.made.get(&number).and_then(descriptor).map(|map| map.as_raw_fd())
    }

    /// The definitions of the maps, each with its number.
    pub(super) fn definitions(&self) -> impl Iterator<Item = (&str, i32, &Definition)> {
        (0..).zip(&self.definitions).map(|(number, (name, definition))| (name.as_str(), number, definition))
    }

    /// The definitions, to change before the maps are created.
    pub(super) fn definitions_mut(&mut self) -> &mut [(String, Definition)] {
        &mut self.definitions
    }

    fn number(&self, map: &str) -> Option<usize> {
        self.definitions.iter().position(|(name, _)| name == map)
    }
}

/// Whether the map contains constants.
pub(super) fn is_constant(definition: &Definition) -> bool {
    definition.section_kind() == EbpfSectionKind::Rodata
}

fn make(name: &str, definition: Definition) -> Result<Map, String> {
    let content = is_constant(&definition).then(|| definition.data().to_vec());
    let data = MapData::create(definition, name, None).map_err(|error| reason_chain(&error))?;
    if let Some(content) = content {
        bpf::fill_for_good(data.fd().as_fd(), &content)
            .map_err(|error| format!("the map {name}: {error}"))?;
    }
    Map::from_map_data(data).map_err(|error| reason_chain(&error))
}

/// The descriptor of a map of any kind that the kernel half uses.
fn descriptor(map: &Map) -> Option<BorrowedFd<'_>> {
    match map {
        Map::Array(map)
        | Map::HashMap(map)
        | Map::LruHashMap(map)
        | Map::PerCpuArray(map)
        | Map::RingBuf(map) => Some(map.fd().as_fd()),
        _ => None,
    }
}
