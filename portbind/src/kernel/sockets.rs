//! Who has a socket open, asked of the kernel itself: one walk over the files of every task.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use aya::Ebpf;
use aya::programs::Iter;
use portbind_ebpf::abi::OpenSocket;
use zerocopy::FromBytes;

use super::attach::{AttachError, attach_error, load_error, typed};

const PROGRAM: &str = "open_sockets";
const TARGET: &str = "iter/task_file";
/// The kernel's function that stands for the target (`DEFINE_BPF_ITER_FUNC`, kernel/bpf/task_iter.c).
pub(super) const FUNCTION: &str = "bpf_iter_task_file";

/// The iterator over open sockets (kernel/bpf/task_iter.c). It sees the tasks of the pid namespace
/// of whoever reads it, and threads that share their files once.
#[derive(Clone, Debug)]
pub struct OpenSockets {
    ebpf: Rc<RefCell<Ebpf>>,
}

impl OpenSockets {
    /// Loads the iterator.
    pub(super) fn load(ebpf: Rc<RefCell<Ebpf>>, btf: &aya::Btf) -> Result<Self, AttachError> {
        {
            let mut borrowed = ebpf.borrow_mut();
            let program: &mut Iter = typed(&mut borrowed, PROGRAM)?;
            program.load("task_file", btf).map_err(|error| load_error(PROGRAM, &error))?;
        }
        Ok(Self { ebpf })
    }

    /// Every socket that any process has open, each with its descriptor, now.
    ///
    /// # Errors
    /// If the kernel refuses the walk or it breaks off.
    pub fn read(&self) -> io::Result<Vec<OpenSocket>> {
        let mut file = {
            let mut borrowed = self.ebpf.borrow_mut();
            let program: &mut Iter = typed(&mut borrowed, PROGRAM).map_err(io::Error::other)?;
            let attach =
                |error: &aya::programs::ProgramError| io::Error::other(attach_error(PROGRAM, TARGET, error));
            let id = program.attach().map_err(|error| attach(&error))?;
            let link = program.take_link(id).map_err(|error| attach(&error))?;
            link.into_file().map_err(io::Error::other)?
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let records = bytes.chunks_exact(size_of::<OpenSocket>());
        Ok(records.filter_map(|record| OpenSocket::read_from_bytes(record).ok()).collect())
    }
}
