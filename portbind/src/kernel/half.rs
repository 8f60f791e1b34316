//! The kernel half on its way into the kernel: read once, then program by program, with the maps that each needs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use aya::maps::{Map, MapData};
use aya_obj::btf::BtfFeatures;
use aya_obj::generated::{BPF_DW, BPF_IMM, BPF_LD, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, bpf_insn};
use aya_obj::maps::Map as Definition;
use aya_obj::{EbpfSectionKind, Function, Object};
use portbind_ebpf::abi::Filter;
use portbind_ebpf::layout::Layout;
use zerocopy::IntoBytes as _;

use super::attach::{AttachError, reason_chain};
use super::tracer::TraceError;
use crate::sys::bpf;
use crate::sys::tracing::{Place, Program};

/// Some programs of the kernel half, and their maps. A map is made when something asks for it: most programs need few
/// of them, and to make one with room for thousands of entries takes milliseconds.
#[derive(Debug)]
pub(super) struct Half {
    object: Object,
    /// Its types in the kernel; none if that does not take them, and few programs then need them.
    types: Option<OwnedFd>,
    /// Its maps, each at the number by which the instructions know it until it is made.
    definitions: Vec<(String, Definition)>,
    /// Those that were made, by their numbers.
    maps: BTreeMap<usize, Map>,
}

impl Half {
    /// Reads the programs that are `wanted` out of `object`.
    pub(super) fn read(
        object: &[u8],
        layout: &Layout,
        filter: &Filter,
        wanted: &[&str],
    ) -> Result<Self, TraceError> {
        let mut object = Object::parse(object).map_err(|error| refused(&error))?;
        let globals =
            HashMap::from([("LAYOUT", (layout.as_bytes(), true)), ("FILTER", (filter.as_bytes(), true))]);
        object.patch_map_data(globals).map_err(|error| refused(&error))?;
        retain(&mut object, wanted);
        let definitions = relocate(&mut object)?;
        let types = load_types(&mut object)?;
        Ok(Self { object, types, definitions, maps: BTreeMap::new() })
    }

    /// How many entries a map is to have, unless it has been made.
    pub(super) fn set_entries(&mut self, map: &str, entries: u32) {
        let definition = self.definitions.iter_mut().find(|(name, _)| name == map);
        if let Some((_, definition)) = definition {
            definition.set_max_entries(entries);
        }
    }

    /// A map that some program needed.
    pub(super) fn map(&self, name: &str) -> Option<&Map> {
        self.maps.get(&self.number(name)?)
    }

    /// A map.
    pub(super) fn map_mut(&mut self, name: &str) -> Result<&mut Map, TraceError> {
        let missing = || TraceError::Load(format!("no map {name}"));
        let number = self.number(name).ok_or_else(missing)?;
        self.make(number).map_err(TraceError::Load)?;
        self.maps.get_mut(&number).ok_or_else(missing)
    }

    /// A map, which is no longer here then.
    pub(super) fn take_map(&mut self, name: &str) -> Option<Map> {
        self.maps.remove(&self.number(name)?)
    }

    /// Whether it has a program.
    pub(super) fn has(&self, program: &str) -> bool {
        self.object.programs.contains_key(program)
    }

    /// How long a program is, in instructions.
    pub(super) fn length_of(&self, program: &'static str) -> usize {
        self.function(program).map_or(0, |function| function.instructions.len())
    }

    /// Programs, each with what it is made for, and with the maps that it needs.
    pub(super) fn ready(
        &mut self,
        programs: &BTreeMap<&'static str, Place>,
    ) -> Result<Vec<Program<'_>>, AttachError> {
        programs.keys().try_for_each(|name| self.make_maps_of(name))?;
        programs.iter().map(|(name, place)| self.with_maps(name, *place)).collect()
    }

    fn make_maps_of(&mut self, name: &'static str) -> Result<(), AttachError> {
        let needed: Vec<_> = self.function(name)?.instructions.iter().filter_map(map_of).collect();
        let refused = |reason| AttachError::Load { program: name, reason };
        needed.into_iter().try_for_each(|number| self.make(number).map_err(refused))
    }

    /// A program whose maps have been made.
    fn with_maps(&self, name: &'static str, place: Place) -> Result<Program<'_>, AttachError> {
        let function = self.function(name)?;
        let program = self.object.programs.get(name).ok_or_else(|| lacks(name))?;
        let mut instructions = function.instructions.clone();
        for instruction in &mut instructions {
            if let Some(number) = map_of(instruction) {
                let map = self.maps.get(&number).and_then(descriptor);
                instruction.imm = map.ok_or_else(|| lacks(name))?.as_raw_fd();
            }
        }
        let types = self.types.as_ref().map(OwnedFd::as_fd);
        Ok(Program {
            name,
            place,
            license: &program.license,
            instructions,
            functions: types.map(|types| (types, function.func_info.func_info.as_slice())),
        })
    }

    fn function(&self, program: &'static str) -> Result<&Function, AttachError> {
        let found = self.object.programs.get(program);
        let function = found.and_then(|program| self.object.functions.get(&program.function_key()));
        function.ok_or_else(|| lacks(program))
    }

    fn number(&self, map: &str) -> Option<usize> {
        self.definitions.iter().position(|(name, _)| name == map)
    }

    /// The map of this number, made if it was not.
    fn make(&mut self, number: usize) -> Result<(), String> {
        if !self.maps.contains_key(&number) {
            let unknown = || format!("there is no map {number}");
            let (name, definition) = self.definitions.get(number).ok_or_else(unknown)?;
            let map = make(name, definition.clone())?;
            self.maps.insert(number, map);
        }
        Ok(())
    }
}

/// Leaves these programs alone in the object.
fn retain(object: &mut Object, wanted: &[&str]) {
    let Object { programs, functions, .. } = object;
    programs.retain(|name, program| {
        let is_wanted = wanted.contains(&name.as_str());
        if !is_wanted {
            functions.remove(&program.function_key());
        }
        is_wanted
    });
}

/// Puts functions into the programs that call them, and numbers in the place of maps: what they stand for is returned
/// in their order.
fn relocate(object: &mut Object) -> Result<Vec<(String, Definition)>, TraceError> {
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let definitions: Vec<_> = std::mem::take(&mut object.maps).into_iter().collect();
    let numbered = (0_i32..).zip(&definitions);
    let maps = numbered.map(|(number, (name, definition))| (name.as_str(), number, definition));
    object.relocate_maps(maps, &sections).map_err(|error| refused(&error))?;
    object.relocate_calls(&sections).map_err(|error| refused(&error))?;
    Ok(definitions)
}

/// The types of the object, in the kernel if that takes them. Every kernel with a ring buffer (5.8) knows the kinds of
/// types that Rust makes.
fn load_types(object: &mut Object) -> Result<Option<OwnedFd>, TraceError> {
    let known = BtfFeatures::new(true, true, true, true, true, true, true, true);
    let types = object.fixup_and_sanitize_btf(&known).map_err(|error| refused(&error))?;
    Ok(types.and_then(|types| bpf::load_types(&types.to_bytes()).ok()))
}

/// The number of the map of which the instruction loads the address, or that of what is in it.
fn map_of(instruction: &bpf_insn) -> Option<usize> {
    let is_load = u32::from(instruction.code) == BPF_LD | BPF_IMM | BPF_DW;
    let is_of_map = [BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE].contains(&u32::from(instruction.src_reg()));
    usize::try_from(instruction.imm).ok().filter(|_| is_load && is_of_map)
}

fn make(name: &str, definition: Definition) -> Result<Map, String> {
    let is_constant = definition.section_kind() == EbpfSectionKind::Rodata;
    let content = definition.data().to_vec();
    let data = MapData::create(definition, name, None).map_err(|error| reason_chain(&error))?;
    if is_constant {
        bpf::fill_for_good(data.fd().as_fd(), &content)
            .map_err(|error| format!("the map {name}: {error}"))?;
    }
    Map::from_map_data(data).map_err(|error| reason_chain(&error))
}

/// The descriptor of a map of one of the kinds that the kernel half has.
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

fn lacks(program: &'static str) -> AttachError {
    AttachError::Load { program, reason: "the embedded object lacks it, or a map of it".to_owned() }
}

fn refused(error: &dyn std::error::Error) -> TraceError {
    TraceError::Load(reason_chain(error))
}

#[cfg(test)]
mod tests {
    use aya_obj::ProgramSection;

    use super::super::backend::{Backend, Kind};
    use super::super::object::{BOUNDED, CALLBACKS};
    use super::super::sockets;
    use super::*;

    #[test]
    fn programs_and_maps_of_both_objects() {
        for (object, has_callbacks) in [(CALLBACKS, true), (BOUNDED, false)] {
            let object = object.unpack().unwrap();
            for backend in Backend::ALL {
                let mut wanted = backend.programs();
                wanted.extend(sockets::programs());
                let half = Half::read(object.bytes(), &Layout::EMPTY, &Filter::ANY, &wanted).unwrap();
                let mut used = HashSet::new();
                let mut functions = 0;
                for name in wanted.into_iter().filter(|name| half.has(name)) {
                    let program = &half.object.programs[name];
                    let function = &half.object.functions[&program.function_key()];
                    used.extend(function.instructions.iter().filter_map(map_of));
                    functions = function.func_info.func_info.len().max(functions);
                }
                assert_eq!(functions > 1, has_callbacks, "{backend:?}");
                assert_eq!(
                    (half.has("sockets_by_task"), half.has("sockets_by_file")),
                    (has_callbacks, !has_callbacks)
                );
                let names: Vec<_> = used.iter().map(|&number| half.definitions[number].0.as_str()).collect();
                assert!(names.contains(&"RECORDS") && names.contains(&".rodata"), "{names:?}");
                assert_eq!(names.contains(&"CALLS"), backend == Backend::Kprobe, "{names:?}");
                assert!(!names.contains(&"AYA_LOGS"), "{names:?}");
                assert!(half.map("RECORDS").is_none());
            }
        }
    }

    #[test]
    fn programs_are_for_where_they_are_put() {
        let wanted: Vec<_> = Backend::ALL.into_iter().flat_map(Backend::programs).collect();
        let bounded = BOUNDED.unpack().unwrap();
        let half = Half::read(bounded.bytes(), &Layout::EMPTY, &Filter::ANY, &wanted).unwrap();
        for point in Backend::ALL.iter().flat_map(|backend| backend.hooks()).flat_map(|hook| hook.points) {
            let section = |program| &half.object.programs[program].section;
            let fits = matches!(
                (point.kind, section(point.program)),
                (Kind::Fentry, ProgramSection::FEntry { .. })
                    | (Kind::Fexit, ProgramSection::FExit { .. })
                    | (Kind::Kprobe, ProgramSection::KProbe)
                    | (Kind::Kretprobe, ProgramSection::KRetProbe)
                    | (Kind::RawTracepoint, ProgramSection::RawTracePoint)
                    | (Kind::TypedTracepoint, ProgramSection::BtfTracePoint)
            );
            assert!(fits, "{point:?}");
            assert!(point.entry.is_none_or(|entry| matches!(section(entry), ProgramSection::KProbe)));
        }
    }
}
