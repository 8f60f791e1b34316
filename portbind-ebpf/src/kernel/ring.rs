//! The writer's side of the ring buffer.

#![expect(unsafe_code, reason = "the helpers take addresses, and memory that holds any integers")]

use core::ops::{Deref, DerefMut};
use core::ptr;

use aya_ebpf::bindings::{BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::helpers::generated;
use aya_ebpf::maps::ring_buf::RingBufEntry;
use portbind_abi::{RING_BYTES, RING_HEADER_LEN};

use super::volatile::opaque;
use crate::maps::RECORDS;

/// User space is woken if more than this many bytes of the ring buffer are unread.
const MUCH: u64 = RING_BYTES as u64 / 4;

/// A record in the ring buffer that user space does not see yet.
pub(crate) struct Slot<T: 'static>(RingBufEntry<T>);

impl<T> Slot<T> {
    /// Reserves space for one record; `None` if the ring buffer is full.
    ///
    /// Bytes that the caller does not write keep the contents of an older portbind record, or zero.
    #[inline(always)]
    pub(crate) fn reserve() -> Option<Self> {
        RECORDS.reserve::<T>(0).map(Self)
    }

    /// Submits the record and wakes user space, which may not have been woken for earlier records.
    #[inline(always)]
    pub(crate) fn submit(self) {
        self.0.submit(u64::from(BPF_RB_FORCE_WAKEUP));
    }

    /// Submits a record that user space need not read at once: user space polls once a second, and is woken if more
    /// than [`MUCH`] bytes are unread.
    #[inline(always)]
    pub(crate) fn submit_for_later(self) {
        let waiting = waiting_bytes();
        let flags = if waiting > MUCH {
            BPF_RB_FORCE_WAKEUP
        } else if waiting > (size_of::<T>() + RING_HEADER_LEN) as u64 {
            // With flags 0 the kernel wakes a reader that stopped just before this record because the record was not
            // complete.
            0
        } else {
            BPF_RB_NO_WAKEUP
        };
        self.0.submit(u64::from(flags));
    }
}

impl<T> Deref for Slot<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: records consist of integers, and the ring's memory (zeroed at creation) holds valid integers.
        unsafe { self.0.assume_init_ref() }
    }
}

impl<T> DerefMut for Slot<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { self.0.assume_init_mut() }
    }
}

/// Number of unread bytes in the ring buffer.
#[inline(always)]
pub(crate) fn waiting_bytes() -> u64 {
    RECORDS.query(u64::from(aya_ebpf::bindings::BPF_RB_AVAIL_DATA))
}

/// Sends the first `len` bytes of `record` and wakes user space; `false` if `len` exceeds the record or the ring buffer
/// is full.
#[inline(always)]
pub(crate) fn send<T>(record: &T, len: usize) -> bool {
    const { assert!(size_of::<T>() < MOST as usize) };
    // The verifier must see the bound on the very register that is passed.
    let len = opaque(len as u64) & MOST;
    if len > size_of::<T>() as u64 {
        return false;
    }
    let (map, record) = (ptr::from_ref(&RECORDS).cast_mut().cast(), ptr::from_ref(record).cast_mut().cast());
    // SAFETY: the map is a ring buffer, and `len` is at most the size of the record, which is a live reference.
    unsafe { generated::bpf_ringbuf_output(map, record, len, u64::from(BPF_RB_FORCE_WAKEUP)) == 0 }
}

/// A mask of ones, larger than the length of any record that is sent in part.
const MOST: u64 = 8191;
