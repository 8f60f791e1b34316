//! What an iterator program is about, read without a helper: that is done for every open file of the machine.

#![expect(unsafe_code, reason = "typed pointers of the context are read directly")]

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::bindings::seq_file;
use aya_ebpf::helpers::generated;

use super::memory::Plain;

/// An address in the kernel whose type the verifier knows, from the program's context on. It checks that what is
/// read is a member of that type; what cannot be read is zero (`BPF_PROBE_MEM`).
#[derive(Clone, Copy)]
pub(crate) struct Known(*const u8);

impl Known {
    /// Reads a member.
    #[inline(always)]
    pub(crate) fn read<T: Plain>(self, offset: u32) -> T {
        // SAFETY: the verifier refuses the program unless it knows the read to be safe. To it the offset is a
        // constant: the map of read-only globals is frozen before the program is loaded.
        unsafe { ptr::read_volatile(self.0.wrapping_add(offset as usize).cast::<T>()) }
    }

    /// Follows the pointer at `offset`.
    #[inline(always)]
    pub(crate) fn follow(self, offset: u32) -> Self {
        Self(self.read::<u64>(offset) as *const u8)
    }
}

/// The interior of a `bpf_iter__task_file` context (kernel/bpf/task_iter.c): what one step is about.
pub(crate) struct OpenFile {
    seq: *mut seq_file,
    pub(crate) task: Known,
    pub(crate) file: Known,
    pub(crate) fd: u32,
}

impl OpenFile {
    /// Reads the context of an iterator program; `None` at the closing step, which has no file.
    ///
    /// # Safety
    /// `context` is what the kernel passed to a program of section `iter/task_file`.
    #[inline(always)]
    pub(crate) unsafe fn from_context(context: *mut c_void) -> Option<Self> {
        let words = context.cast::<*const u8>();
        // SAFETY: the context is { meta *, task *, u32 fd, file * }, and meta starts with { seq_file * }.
        unsafe {
            let meta = (*words).cast::<*mut seq_file>();
            let task = *words.add(1);
            let file = *words.add(3);
            if task.is_null() || file.is_null() {
                return None;
            }
            Some(Self { seq: *meta, task: Known(task), file: Known(file), fd: *words.add(2).cast::<u32>() })
        }
    }

    /// Appends a record to what the reader of the iterator gets.
    #[inline(always)]
    pub(crate) fn write<T: Copy>(&self, record: &T) {
        // SAFETY: `seq` came from the context; the record is a live reference of the size passed.
        unsafe { generated::bpf_seq_write(self.seq, ptr::from_ref(record).cast(), size_of::<T>() as u32) };
    }
}
