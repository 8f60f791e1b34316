//! The kernel half while it is loaded: parsed once, then loaded program by program, each with the maps that it needs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::{AsFd as _, OwnedFd};

use aya_obj::btf::BtfFeatures;
use aya_obj::generated::{BPF_DW, BPF_IMM, BPF_LD, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, bpf_insn};
use aya_obj::{Function, Object};
use portbind_abi::Filter;
use portbind_abi::layout::Layout;
use zerocopy::IntoBytes as _;

use super::error::{AttachError, TraceError, reason_chain};
use super::maps::{Maps, is_constant};
use super::object::Packed;
use crate::sys::bpf;
use crate::sys::tracing::{Place, Program};

/// Maps that every backend's programs need.
pub(super) const ALWAYS_NEEDED: [&str; 7] =
    ["RECORDS", "PARTIES", "COUNTERS", "QUOTAS", "INTRODUCED", "COUNTS", "SCRATCH"];

/// A parsed object, independent of the running kernel.
#[derive(Debug)]
pub(super) struct Parsed {
    object: Object,
    maps: Maps,
}

impl Parsed {
    /// Parses an object.
    pub(super) fn of(packed: Packed) -> Result<Self, TraceError> {
        let bytes = packed.unpack();
        let bytes = bytes.map_err(|error| TraceError::Load(format!("this program is damaged: {error}")))?;
        let mut object = Object::parse(bytes.bytes()).map_err(|error| refused(&error))?;
        let maps = Maps::new(std::mem::take(&mut object.maps));
        Ok(Self { object, maps })
    }

    /// Its maps.
    pub(super) const fn maps_mut(&mut self) -> &mut Maps {
        &mut self.maps
    }

    /// The `wanted` programs, prepared for a kernel with this layout.
    pub(super) fn collection(
        mut self,
        layout: &Layout,
        filter: &Filter,
        wanted: &[&str],
    ) -> Result<Collection, TraceError> {
        self.fill(layout, filter)?;
        let Self { mut object, maps } = self;
        retain(&mut object, wanted);
        relocate(&mut object, &maps)?;
        let types = load_types(&mut object)?;
        Ok(Collection { object, types, maps })
    }

    /// Writes the programs' constants into the map of constants.
    fn fill(&mut self, layout: &Layout, filter: &Filter) -> Result<(), TraceError> {
        let Self { object, maps } = self;
        let globals =
            HashMap::from([("LAYOUT", (layout.as_bytes(), true)), ("FILTER", (filter.as_bytes(), true))]);
        let definitions = maps.definitions_mut();
        // Aya expects the constants here.
        let constant = definitions.iter().filter(|(_, definition)| is_constant(definition)).cloned();
        object.maps.extend(constant);
        object.patch_map_data(globals).map_err(|error| refused(&error))?;
        for (name, definition) in definitions {
            if let Some(filled) = object.maps.remove(name) {
                *definition = filled;
            }
        }
        Ok(())
    }
}

/// Some programs of the kernel half, with their maps.
#[derive(Debug)]
pub(super) struct Collection {
    object: Object,
    /// The object's types, loaded into the kernel; `None` if the kernel rejects them, in which case few programs need
    /// them.
    types: Option<OwnedFd>,
    pub(super) maps: Maps,
}

impl Collection {
    /// Whether the collection has a program.
    pub(super) fn has(&self, program: &str) -> bool {
        self.object.programs.contains_key(program)
    }

    /// Length of a program in instructions.
    pub(super) fn length_of(&self, program: &'static str) -> usize {
        self.function(program).map_or(0, |function| function.instructions.len())
    }

    /// Programs, each with its attach target and the maps that it needs.
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
        needed.into_iter().try_for_each(|number| self.maps.make(number).map_err(refused))
    }

    /// A program whose maps exist.
    fn with_maps(&self, name: &'static str, place: Place) -> Result<Program<'_>, AttachError> {
        let function = self.function(name)?;
        let program = self.object.programs.get(name).ok_or_else(|| lacks(name))?;
        let mut instructions = function.instructions.clone();
        for instruction in &mut instructions {
            if let Some(number) = map_of(instruction) {
                instruction.imm = self.maps.descriptor(number).ok_or_else(|| lacks(name))?;
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
}

/// Removes all other programs from the object.
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

/// Links functions into the programs that call them, and replaces map references by numbers.
fn relocate(object: &mut Object, maps: &Maps) -> Result<(), TraceError> {
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    object.relocate_maps(maps.definitions(), &sections).map_err(|error| refused(&error))?;
    object.relocate_calls(&sections).map_err(|error| refused(&error))
}

/// The object's types, loaded into the kernel if it accepts them. Every kernel with a ring buffer (5.8) knows the kinds
/// of types that Rust emits.
fn load_types(object: &mut Object) -> Result<Option<OwnedFd>, TraceError> {
    let known = BtfFeatures::new(true, true, true, true, true, true, true, true);
    let types = object.fixup_and_sanitize_btf(&known).map_err(|error| refused(&error))?;
    Ok(types.and_then(|types| bpf::load_types(&types.to_bytes()).ok()))
}

/// The number of the map whose address or value address the instruction loads.
fn map_of(instruction: &bpf_insn) -> Option<usize> {
    let is_load = u32::from(instruction.code) == BPF_LD | BPF_IMM | BPF_DW;
    let is_of_map = [BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE].contains(&u32::from(instruction.src_reg()));
    usize::try_from(instruction.imm).ok().filter(|_| is_load && is_of_map)
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

    use super::*;
    use crate::kernel::backend::{Backend, Kind};
    use crate::kernel::object::{BOUNDED, CALLBACKS};
    use crate::kernel::sockets;

    #[test]
    fn programs_and_maps_of_both_objects() {
        for (object, has_callbacks) in [(CALLBACKS, true), (BOUNDED, false)] {
            for backend in Backend::ALL {
                let mut wanted = backend.programs();
                wanted.extend(sockets::programs());
                let half =
                    Parsed::of(object).unwrap().collection(&Layout::EMPTY, &Filter::ANY, &wanted).unwrap();
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
                let all: Vec<_> = half.maps.definitions().map(|(name, ..)| name).collect();
                let names: Vec<_> = used.iter().map(|&number| all[number]).collect();
                assert!(names.contains(&".rodata"), "{names:?}");
                assert!(ALWAYS_NEEDED.iter().all(|name| names.contains(name)), "{backend:?}: {names:?}");
                assert_eq!(names.contains(&"CALLS"), backend == Backend::Kprobe, "{names:?}");
                assert!(!names.contains(&"AYA_LOGS"), "{names:?}");
                assert!(half.maps.get("RECORDS").is_none());
            }
        }
    }

    #[test]
    fn programs_are_for_where_they_are_put() {
        let wanted: Vec<_> = Backend::ALL.into_iter().flat_map(Backend::programs).collect();
        let half = Parsed::of(BOUNDED).unwrap().collection(&Layout::EMPTY, &Filter::ANY, &wanted).unwrap();
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
