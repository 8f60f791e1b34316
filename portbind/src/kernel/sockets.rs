//! Who has a socket open, asked of the kernel itself: one walk over the files of every task.

use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;

use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use portbind_ebpf::abi::OpenSocket;
use zerocopy::FromBytes;

use super::attach::AttachError;
use super::half::Half;
use crate::sys::iterator;
use crate::sys::tracing::Place;

/// Its program.
pub(super) const PROGRAM: &str = "open_sockets";
/// The kernel's function that stands for the iterator (`DEFINE_BPF_ITER_FUNC`, kernel/bpf/task_iter.c).
pub(super) const FUNCTION: &str = "bpf_iter_task_file";

/// The iterator over open sockets (kernel/bpf/task_iter.c). It sees the tasks of the pid namespace
/// of whoever reads it, and threads that share their files once.
#[derive(Clone, Debug)]
pub struct OpenSockets {
    program: Rc<OwnedFd>,
}

impl OpenSockets {
    /// Loads the iterator; `function` is the id of [`FUNCTION`], if the kernel has it.
    pub(super) fn load(half: &mut Half, function: Option<u32>) -> Result<Self, AttachError> {
        let function = function.ok_or_else(|| AttachError::Load {
            program: PROGRAM,
            reason: format!("this kernel's BTF has no function `{FUNCTION}`"),
        })?;
        let program = half.load(PROGRAM, Place::Typed(BPF_TRACE_ITER, function))?;
        Ok(Self { program: Rc::new(program) })
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
