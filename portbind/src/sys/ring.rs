//! The ring buffer of records, read through one mapping.
//!
//! A record may wrap around the end of the ring. Other readers map the ring twice in a row, so that such a record is
//! contiguous; every page then counts twice as memory of this process. Here, the reader gets a copy instead.

#![expect(unsafe_code, reason = "no type describes memory that is shared with the kernel")]

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use aya::maps::{Map, MapData};
use memmap2::{MmapOptions, MmapRaw};
use rustix::param::page_size;
use zerocopy::IntoBytes as _;

/// `BPF_RINGBUF_HDR_SZ` in `include/uapi/linux/bpf.h`.
const HEADER_LEN: usize = 8;
/// `BPF_RINGBUF_BUSY_BIT` in the same file: the record is being written.
const BUSY: u32 = 1 << 31;
/// `BPF_RINGBUF_DISCARD_BIT` in the same file: the record was discarded.
const DISCARDED: u32 = 1 << 30;

/// A ring buffer of the kernel half, with this process as its only reader.
#[derive(Debug)]
pub struct Ring {
    map: MapData,
    /// The page with the consumer position, which this process writes.
    consumer: MmapRaw,
    /// The page with the producer position, followed by the ring.
    producer: MmapRaw,
    /// Bytes of the ring, a power of two.
    size: usize,
    /// Bytes read so far; the number wraps around, like the kernel's positions.
    position: usize,
    /// The last record read, in words: records are aligned to words.
    record: Vec<u64>,
}

impl Ring {
    /// Maps a ring buffer.
    ///
    /// # Errors
    /// If the map is no ring buffer, or cannot be mapped.
    pub fn open(map: Map) -> io::Result<Self> {
        let Map::RingBuf(map) = map else { return Err(io::Error::other("the map is no ring buffer")) };
        let size = map.info().map_err(io::Error::other)?.max_entries() as usize;
        let page = page_size();
        let file = map.fd().as_fd().as_raw_fd();
        let consumer = MmapOptions::new().len(page).map_raw(file)?;
        let producer = MmapOptions::new().offset(page as u64).len(page + size).map_raw_read_only(file)?;
        let mut ring = Self { map, consumer, producer, size, position: 0, record: Vec::new() };
        ring.position = ring.consumed().load(Ordering::Acquire);
        Ok(ring)
    }

    /// The next record, if it is complete.
    pub fn next_record(&mut self) -> Option<&[u8]> {
        loop {
            // The kernel wakes the reader only if the reader's position has reached the record. At least one side must
            // see the other's update: store our position first, then check for more records (bpf_ringbuf_commit in
            // kernel/bpf/ringbuf.c does both in the reverse order).
            fence(Ordering::SeqCst);
            if self.position == self.produced().load(Ordering::Acquire) {
                return None;
            }
            let header = self.header().load(Ordering::Acquire);
            if header & BUSY != 0 {
                return None;
            }
            let len = ((header & !DISCARDED) as usize).min(self.size - HEADER_LEN);
            let is_record = header & DISCARDED == 0;
            if is_record {
                self.copy(len);
            }
            self.position = self.position.wrapping_add((HEADER_LEN + len).next_multiple_of(HEADER_LEN));
            self.consumed().store(self.position, Ordering::Release);
            if is_record {
                return self.record.as_bytes().get(..len);
            }
        }
    }

    /// Copies `len` bytes after the header at our position.
    fn copy(&mut self, len: usize) {
        self.record.resize(len.div_ceil(size_of::<u64>()), 0);
        let start = self.place(HEADER_LEN);
        let before_end = len.min(self.size - start);
        let ring = self.ring();
        let record = self.record.as_mut_bytes().as_mut_ptr();
        // SAFETY: `start + before_end` and `len - before_end` are at most `size`, the length of the mapped ring;
        // `record` has room for `len` bytes. The kernel does not write to a complete record before it is consumed.
        unsafe {
            record.copy_from_nonoverlapping(ring.add(start), before_end);
            record.add(before_end).copy_from_nonoverlapping(ring, len - before_end);
        }
    }

    /// The offset in the ring that is `distance` bytes after our position.
    const fn place(&self, distance: usize) -> usize {
        self.position.wrapping_add(distance) & (self.size - 1)
    }

    fn ring(&self) -> *const u8 {
        // SAFETY: the mapping is a page longer than the ring, which is not empty.
        unsafe { self.producer.as_ptr().add(page_size()) }
    }

    fn header(&self) -> &AtomicU32 {
        // SAFETY: records start at multiples of eight, so a header is aligned and lies within the ring; the kernel
        // writes the header as one word.
        unsafe { &*self.ring().add(self.place(0)).cast() }
    }

    fn produced(&self) -> &AtomicUsize {
        // SAFETY: the kernel keeps its position in the first word of this page (struct bpf_ringbuf).
        unsafe { &*self.producer.as_ptr().cast() }
    }

    fn consumed(&self) -> &AtomicUsize {
        // SAFETY: our position is the first word of this page, which is mapped for writing (struct bpf_ringbuf).
        unsafe { &*self.consumer.as_ptr().cast() }
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.map.fd().as_fd().as_raw_fd()
    }
}
