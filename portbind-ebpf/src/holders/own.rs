//! Finds a holder among the caller's own descriptors. This happens in the kernel half because the caller may have ended
//! before user space could check.

use portbind_abi::{Holder, OWN_DESCRIPTORS};

use crate::kernel::globals::at;
use crate::kernel::memory::{Block, Ptr};
use crate::kernel::task::current_task;
use crate::kernel::volatile::set;
use crate::kernel::{Each, count_up};
use crate::sock::common::SOCK_WORDS;

const COUNT: usize = OWN_DESCRIPTORS as usize;

/// Records the caller's descriptor of a `struct socket`, if it is among the first; `words` is space for the
/// descriptors.
#[inline(always)]
pub(super) fn find(socket: Ptr, words: &mut [u64; SOCK_WORDS], holder: &mut Holder) {
    let table = current_task().follow(at!(task_files)).follow(at!(files_fdt));
    // Unreadable memory reads as zero, and so does the file of a socket without one: neither is a file.
    let file = socket.follow(at!(socket_file));
    if file.is_null() {
        return;
    }
    let (words, _) = words.split_first_chunk_mut().unwrap();
    let files = Block::read_to::<COUNT>(words, table.follow(at!(fdt_fd)));
    count_up(OWN_DESCRIPTORS, &mut Comparing { files, file, holder });
}

/// The caller's first files, and the file to find.
struct Comparing<'a> {
    files: Block<'a, COUNT>,
    file: Ptr,
    holder: &'a mut Holder,
}

impl Each for Comparing<'_> {
    #[inline(always)]
    fn each(&mut self, number: u32) {
        let number = number % OWN_DESCRIPTORS;
        if self.files.get::<u64>(number * size_of::<u64>() as u32) == self.file.0 {
            set(&mut self.holder.own_descriptor, number as u16 + 1);
        }
    }
}
