//! The size of the ring buffer, and what the kernel puts before each record.

/// Size of the ring buffer in bytes, unless the loader sets another.
pub const RING_BYTES: u32 = 2 << 20;
/// Bytes of the ring buffer that the kernel puts before each record (`BPF_RINGBUF_HDR_SZ`, include/uapi/linux/bpf.h).
pub const RING_HEADER_LEN: usize = 8;
