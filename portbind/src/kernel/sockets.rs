//! Finds the owners of sockets through the kernel, by one walk over the descriptor tables of all tasks.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;

use aya::maps::{Array, Map, MapData};
use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use portbind_abi::{Inodes, OpenSocket};
use zerocopy::{FromBytes, transmute_ref};

use super::error::AttachError;
use super::load::load;
use crate::kernel::collection::Collection;
use crate::sys::iterator;
use crate::sys::tracing::Place;

/// The programs (each object has one of them), and the kernel function that stands for the program's iterator
/// (`DEFINE_BPF_ITER_FUNC`, kernel/bpf/task_iter.c).
const PROGRAMS: [(&str, &str); 2] =
    [("sockets_by_task", "bpf_iter_task"), ("sockets_by_file", "bpf_iter_task_file")];
/// The map that selects the sockets to report.
const MAP: &str = "INODES";

/// Names of the programs.
pub(super) fn programs() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|(program, _)| *program)
}

/// Names of the kernel functions that stand for the iterators.
pub(super) fn functions() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|(_, function)| *function)
}

/// Words of [`Inodes`], the map's only value.
type Words = [u64; size_of::<Inodes>() / size_of::<u64>()];

/// The iterator over open sockets. It sees the tasks in the reader's pid namespace, and threads that share their files
/// once.
#[derive(Clone, Debug)]
pub struct OpenSockets {
    /// Keeps the program loaded.
    iterator: Rc<OwnedFd>,
    /// [`MAP`], written before each walk.
    wanted: Rc<RefCell<Map>>,
}

impl OpenSockets {
    /// Loads the iterator; `functions` has the ids of the kernel's functions.
    pub(super) fn load(
        half: &mut Collection,
        functions: &BTreeMap<&'static str, u32>,
    ) -> Result<Self, AttachError> {
        let (name, place) = Self::program(half, functions)?;
        let ready = half.ready(&BTreeMap::from([(name, place)]))?;
        Self::around(name, ready.first().map(load), half)
    }

    /// The iterator's program and its attach target.
    pub(super) fn program(
        half: &Collection,
        functions: &BTreeMap<&'static str, u32>,
    ) -> Result<(&'static str, Place), AttachError> {
        let [first, other] = PROGRAMS;
        let (name, function) = if half.has(first.0) { first } else { other };
        let missing = || refused(name, format!("this kernel's BTF has no function `{function}`"));
        let function = *functions.get(function).ok_or_else(missing)?;
        Ok((name, Place::Typed(BPF_TRACE_ITER, function)))
    }

    /// The iterator for its program, if the program could be loaded.
    pub(super) fn around(
        name: &'static str,
        loaded: Option<Result<OwnedFd, AttachError>>,
        half: &mut Collection,
    ) -> Result<Self, AttachError> {
        let program = loaded.unwrap_or_else(|| Err(refused(name, "it is gone")))?;
        let iterator = iterator::attach(program.as_fd()).map_err(|error| refused(name, error.to_string()))?;
        let wanted = half.maps.take(MAP).ok_or_else(|| refused(name, format!("no map {MAP}")))?;
        Ok(Self { iterator: Rc::new(iterator), wanted: Rc::new(RefCell::new(wanted)) })
    }

    /// Every socket that any process has open now, each with its descriptor.
    ///
    /// # Errors
    /// If the kernel refuses the walk or the walk fails.
    pub fn all(&self) -> io::Result<Vec<OpenSocket>> {
        self.walk(&Inodes::ALL)
    }

    /// As [`Self::all`], for these sockets only, which is several times as fast.
    ///
    /// # Errors
    /// As [`OpenSockets::all`].
    pub fn of(&self, inodes: &HashSet<u64>) -> io::Result<Vec<OpenSocket>> {
        let mut wanted = Inodes::NONE;
        inodes.iter().for_each(|&inode| wanted.insert(inode));
        let mut open = self.walk(&wanted)?;
        open.retain(|socket| inodes.contains(&socket.inode));
        Ok(open)
    }

    fn walk(&self, wanted: &Inodes) -> io::Result<Vec<OpenSocket>> {
        let words: &Words = transmute_ref!(wanted);
        let mut map = self.wanted.borrow_mut();
        let map: Result<Array<&mut MapData, Words>, _> = Array::try_from(&mut *map);
        map.and_then(|mut map| map.set(0, words, 0)).map_err(io::Error::other)?;
        let bytes = read_all(&mut iterator::walk(self.iterator.as_fd())?)?;
        let records = bytes.chunks_exact(size_of::<OpenSocket>());
        Ok(records.filter_map(|record| OpenSocket::read_from_bytes(record).ok()).collect())
    }
}

fn refused(program: &'static str, reason: impl Into<String>) -> AttachError {
    AttachError::Load { program, reason: reason.into() }
}

/// Reads to the end. In between, a read returns EAGAIN each time the kernel has passed a million tasks or files for
/// which the program reported nothing (`MAX_ITER_OBJECTS`, kernel/bpf/bpf_iter.c).
fn read_all(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        match file.read_to_end(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.map(|_| bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one of these per read.
    struct Parts(Vec<io::Result<&'static [u8]>>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Ok(0) } else { self.0.remove(0)?.read(buffer) }
        }
    }

    #[test]
    fn reads_on_when_there_is_nothing_yet() {
        let nothing_yet = || Err(io::ErrorKind::WouldBlock.into());
        let mut parts = Parts(vec![nothing_yet(), Ok(b"ab"), nothing_yet(), nothing_yet(), Ok(b"c")]);
        assert_eq!(read_all(&mut parts).unwrap(), b"abc");
        let mut broken = Parts(vec![Ok(b"ab"), Err(io::ErrorKind::PermissionDenied.into())]);
        assert_eq!(read_all(&mut broken).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
