//! Who has a socket open, asked of the kernel itself: one walk over the files of every task.

use std::collections::HashSet;
use std::ffi::CString;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::rc::Rc;

use aya::Ebpf;
use aya::maps::Map;
use aya_obj::Object;
use aya_obj::generated::bpf_insn;
use portbind_ebpf::abi::OpenSocket;
use zerocopy::FromBytes;

use super::attach::{AttachError, reason_chain, reason_with_log};
use crate::sys::iterator;

const PROGRAM: &str = "open_sockets";
/// The kernel's function that stands for the iterator (`DEFINE_BPF_ITER_FUNC`, kernel/bpf/task_iter.c).
pub(super) const FUNCTION: &str = "bpf_iter_task_file";
/// Bytes of the verifier's log that are asked for if it refuses: of errors and statistics there are few lines.
const LOG_LEN: usize = 16 * 1024;

/// The iterator over open sockets (kernel/bpf/task_iter.c). It sees the tasks of the pid namespace
/// of whoever reads it, and threads that share their files once.
#[derive(Clone, Debug)]
pub struct OpenSockets {
    program: Rc<OwnedFd>,
}

impl OpenSockets {
    /// Loads the iterator of the kernel half `object`, which `ebpf` was loaded from; `function` is the id of
    /// [`FUNCTION`], if the kernel has it.
    pub(super) fn load(object: &[u8], ebpf: &Ebpf, function: Option<u32>) -> Result<Self, AttachError> {
        let function =
            function.ok_or_else(|| refused(format!("this kernel's BTF has no function `{FUNCTION}`")))?;
        let (license, instructions) = relocated(object, ebpf)?;
        let program =
            iterator::Program { name: PROGRAM, license: &license, function, instructions: &instructions };
        let mut log = Vec::new();
        let loaded = iterator::load(&program, &mut log).or_else(|_| {
            log.resize(LOG_LEN, 0);
            iterator::load(&program, &mut log)
        });
        match loaded {
            Ok(program) => Ok(Self { program: Rc::new(program) }),
            Err(error) => {
                let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
                let log = String::from_utf8_lossy(log.get(..end).unwrap_or_default());
                Err(refused(reason_with_log(&error, &log)))
            }
        }
    }

    /// Every socket that any process has open, each with its descriptor, now.
    ///
    /// # Errors
    /// If the kernel refuses the walk or it breaks off.
    pub fn read(&self) -> io::Result<Vec<OpenSocket>> {
        let mut file = iterator::walk(self.program.as_fd())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let records = bytes.chunks_exact(size_of::<OpenSocket>());
        Ok(records.filter_map(|record| OpenSocket::read_from_bytes(record).ok()).collect())
    }
}

/// The program, with the maps of `ebpf` put in.
fn relocated(object: &[u8], ebpf: &Ebpf) -> Result<(CString, Vec<bpf_insn>), AttachError> {
    let mut object = Object::parse(object).map_err(|error| refused(reason_chain(&error)))?;
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let Object { programs, functions, .. } = &mut object;
    programs.retain(|name, program| {
        let is_wanted = name == PROGRAM;
        if !is_wanted {
            functions.remove(&program.function_key());
        }
        is_wanted
    });
    let known = std::mem::take(&mut object.maps);
    let mut maps = Vec::new();
    // All of them: functions that several programs share stay in the object, and use other maps.
    for (name, map) in ebpf.maps() {
        let unknown = || refused(format!("the map {name} is of a kind that is not known here"));
        maps.push((name, descriptor(map).ok_or_else(unknown)?, known.get(name).ok_or_else(unknown)?));
    }
    object.relocate_maps(maps.into_iter(), &sections).map_err(|error| refused(reason_chain(&error)))?;
    object.relocate_calls(&sections).map_err(|error| refused(reason_chain(&error)))?;
    let program = object.programs.remove(PROGRAM);
    let function = program.as_ref().and_then(|program| object.functions.remove(&program.function_key()));
    let both = program.zip(function).ok_or_else(|| refused("the embedded object lacks it".to_owned()))?;
    Ok((both.0.license, both.1.instructions))
}

/// The descriptor of a map of one of the kinds that the kernel half has.
fn descriptor(map: &Map) -> Option<RawFd> {
    match map {
        Map::Array(map)
        | Map::HashMap(map)
        | Map::LruHashMap(map)
        | Map::PerCpuArray(map)
        | Map::RingBuf(map) => Some(map.fd().as_fd().as_raw_fd()),
        _ => None,
    }
}

const fn refused(reason: String) -> AttachError {
    AttachError::Load { program: PROGRAM, reason }
}
