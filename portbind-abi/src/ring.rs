//! The size of the ring buffer, and of the header that the kernel adds to each record.

/// Size of the ring buffer in bytes, unless the loader sets another one.
pub const RING_BYTES: u32 = 2 << 20;
/// Bytes that the kernel adds before each record (`BPF_RINGBUF_HDR_SZ`, include/uapi/linux/bpf.h).
pub const RING_HEADER_LEN: usize = 8;
