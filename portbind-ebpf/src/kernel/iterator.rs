//! The contexts of iterator programs: the object of each step, and the reader of the output.

#![expect(unsafe_code, reason = "the contexts of iterators have no type in aya-ebpf")]

#[cfg(feature = "bounded")]
mod known;

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::bindings::seq_file;
use aya_ebpf::helpers::generated;

#[cfg(feature = "bounded")]
use self::known::Known;
#[cfg(not(feature = "bounded"))]
use super::memory::Ptr;

/// The reader of the iterator.
#[derive(Clone, Copy)]
pub(crate) struct Reader(*mut seq_file);

impl Reader {
    /// Appends a record to the reader's output.
    #[inline(always)]
    pub(crate) fn write<T: Copy>(self, record: &T) {
        // SAFETY: the pointer came from a context; the record is a live reference of the size passed.
        unsafe { generated::bpf_seq_write(self.0, ptr::from_ref(record).cast(), size_of::<T>() as u32) };
    }
}

/// The fields of a `bpf_iter__task` context (kernel/bpf/task_iter.c).
#[cfg(not(feature = "bounded"))]
pub(crate) struct TaskContext {
    pub(crate) reader: Reader,
    pub(crate) task: Ptr,
}

#[cfg(not(feature = "bounded"))]
impl TaskContext {
    /// Reads the context; `None` at the closing step, which has no task.
    ///
    /// # Safety
    /// `context` is what the kernel passed to a program of section `iter/task`.
    #[inline(always)]
    pub(crate) unsafe fn read(context: *mut c_void) -> Option<Self> {
        let words = context.cast::<u64>();
        // SAFETY: the context is { meta *, task * }, and meta starts with { seq_file * }.
        let (seq, task) = unsafe { (*(*words as *const *mut seq_file), *words.add(1)) };
        (task != 0).then_some(Self { reader: Reader(seq), task: Ptr(task) })
    }
}

/// The fields of a `bpf_iter__task_file` context (kernel/bpf/task_iter.c).
#[cfg(feature = "bounded")]
pub(crate) struct FileContext {
    pub(crate) reader: Reader,
    pub(crate) task: Known,
    pub(crate) file: Known,
    pub(crate) fd: u32,
}

#[cfg(feature = "bounded")]
impl FileContext {
    /// Reads the context; `None` at the closing step, which has no file.
    ///
    /// # Safety
    /// `context` is what the kernel passed to a program of section `iter/task_file`.
    #[inline(always)]
    pub(crate) unsafe fn read(context: *mut c_void) -> Option<Self> {
        let words = context.cast::<*const u8>();
        // SAFETY: the context is { meta *, task *, u32 fd, file * }, and meta starts with { seq_file * }.
        unsafe {
            let seq = *(*words).cast::<*mut seq_file>();
            let task = *words.add(1);
            let file = *words.add(3);
            if task.is_null() || file.is_null() {
                return None;
            }
            let fd = *words.add(2).cast::<u32>();
            Some(Self { reader: Reader(seq), task: Known(task), file: Known(file), fd })
        }
    }
}
