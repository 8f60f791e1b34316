//! `bind` and `listen` through `io_uring`, one submission at a time.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// `IORING_OP_BIND`.
const OP_BIND: u8 = 56;
/// `IORING_OP_LISTEN`.
const OP_LISTEN: u8 = 57;
/// `IORING_OFF_CQ_RING`.
const OFF_CQ_RING: libc::off_t = 0x0800_0000;
/// `IORING_OFF_SQES`.
const OFF_SQES: libc::off_t = 0x1000_0000;
/// `IORING_ENTER_GETEVENTS`.
const ENTER_GETEVENTS: libc::c_uint = 1;
/// Bytes mapped of each area: one page holds the rings of one entry.
const PAGE: usize = 4096;

/// `struct io_sqring_offsets`.
#[repr(C)]
#[derive(Default)]
struct SubmissionOffsets {
    head: u32,
    tail: u32,
    ring_mask: u32,
    ring_entries: u32,
    flags: u32,
    dropped: u32,
    array: u32,
    reserved: [u32; 3],
}

/// `struct io_cqring_offsets`.
#[repr(C)]
#[derive(Default)]
struct CompletionOffsets {
    head: u32,
    tail: u32,
    ring_mask: u32,
    ring_entries: u32,
    overflow: u32,
    cqes: u32,
    reserved: [u32; 4],
}

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    reserved: [u32; 3],
    sq: SubmissionOffsets,
    cq: CompletionOffsets,
}

/// `struct io_uring_sqe`, as far as these operations use it.
#[repr(C)]
#[derive(Default)]
struct Submission {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: i32,
    address_length: u64,
    address: u64,
    length: u32,
    op_flags: u32,
    user_data: u64,
    rest: [u64; 3],
}

/// `struct io_uring_cqe`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Completion {
    user_data: u64,
    result: i32,
    flags: u32,
}

/// One mapped page of a ring.
struct Mapping(*mut u8);

impl Mapping {
    /// Maps the area of `ring` at `offset`.
    fn new(ring: &OwnedFd, offset: libc::off_t) -> io::Result<Self> {
        // SAFETY: a new shared mapping at an address the kernel chooses touches no existing memory.
        let pointer = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                ring.as_raw_fd(),
                offset,
            )
        };
        if pointer == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self(pointer.cast())) }
    }

    /// A pointer to a `T` at `offset`, checked to lie within the page.
    fn at<T>(&self, offset: u32) -> io::Result<*mut T> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        if offset + size_of::<T>() > PAGE || !offset.is_multiple_of(align_of::<T>()) {
            return Err(io::Error::other("the ring does not fit in one page"));
        }
        // SAFETY: the page is PAGE bytes long and the object ends within it.
        Ok(unsafe { self.0.add(offset) }.cast())
    }

    /// The ring counter at `offset`.
    fn counter(&self, offset: u32) -> io::Result<&AtomicU32> {
        let pointer = self.at::<AtomicU32>(offset)?;
        // SAFETY: `at` checked bounds and alignment, the mapping outlives the borrow of self, and
        // the kernel changes the word atomically only.
        Ok(unsafe { &*pointer })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the page was mapped by `new`, and every reference into it borrowed self.
        unsafe { libc::munmap(self.0.cast(), PAGE) };
    }
}

/// `bind(fd, address)` through a ring.
///
/// # Errors
///
/// The error of the kernel; EINVAL if it has no such operation.
pub fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    submit(Submission {
        opcode: OP_BIND,
        fd: fd.as_raw_fd(),
        address: address.as_ptr().expose_provenance() as u64,
        address_length: u64::try_from(address.len()).map_err(io::Error::other)?,
        ..Submission::default()
    })
}

/// `listen(fd, backlog)` through a ring.
///
/// # Errors
///
/// The error of the kernel; EINVAL if it has no such operation.
pub fn listen(fd: BorrowedFd<'_>, backlog: u32) -> io::Result<()> {
    submit(Submission { opcode: OP_LISTEN, fd: fd.as_raw_fd(), length: backlog, ..Submission::default() })
}

/// Submits one entry on a new ring and waits for its result.
fn submit(entry: Submission) -> io::Result<()> {
    let mut params = Params::default();
    // SAFETY: the kernel fills the `io_uring_params` that the pointer names.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, &raw mut params) };
    if ring < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned a new descriptor that no other code owns.
    let ring = unsafe { OwnedFd::from_raw_fd(i32::try_from(ring).map_err(io::Error::other)?) };
    let submissions = Mapping::new(&ring, 0)?;
    let completions = Mapping::new(&ring, OFF_CQ_RING)?;
    let entries = Mapping::new(&ring, OFF_SQES)?;
    let slot = entries.at::<Submission>(0)?;
    // SAFETY: slot 0 lies within the mapping, and the kernel reads it only after the tail has moved.
    unsafe { slot.write(entry) };
    submissions.counter(params.sq.array)?.store(0, Ordering::Relaxed);
    submissions.counter(params.sq.tail)?.fetch_add(1, Ordering::Release);
    // SAFETY: no signal mask is passed; the entry's address stays alive in the caller's frame.
    let entered = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            ring.as_raw_fd(),
            1,
            1,
            ENTER_GETEVENTS,
            std::ptr::null::<libc::sigset_t>(),
            0,
        )
    };
    if entered < 0 {
        return Err(io::Error::last_os_error());
    }
    if completions.counter(params.cq.tail)?.load(Ordering::Acquire) == 0 {
        return Err(io::Error::other("io_uring_enter returned without a completion"));
    }
    let done = completions.at::<Completion>(params.cq.cqes)?;
    // SAFETY: the tail shows that the kernel has written entry 0, which lies within the mapping.
    let done = unsafe { done.read() };
    if done.result < 0 { Err(io::Error::from_raw_os_error(-done.result)) } else { Ok(()) }
}
