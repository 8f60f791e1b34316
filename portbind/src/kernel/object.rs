//! The compiled kernel half, embedded so that building portbind needs neither nightly Rust nor LLVM.

use lz4_flex::block::{DecompressError, decompress_into, uncompressed_size};
use portbind_abi::layout::Layout;
use zerocopy::IntoBytes as _;

use crate::diagnosis::rule::Generation;

/// An object file, packed by build.rs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(&'static [u8]);

/// Output of `cargo xtask ebpf` (`portbind/bpf/portbind.o`). Its loops call the helper `bpf_loop` (Linux 5.17), so the
/// verifier checks each loop once.
pub(super) const CALLBACKS: Packed = Packed(include_bytes!(concat!(env!("OUT_DIR"), "/portbind.o.lz4")));

/// The same with bounded loops and one read per socket field, for kernels without `bpf_loop` (before 5.17): the
/// verifier checks every iteration.
pub(super) const BOUNDED: Packed =
    Packed(include_bytes!(concat!(env!("OUT_DIR"), "/portbind-bounded.o.lz4")));

/// An object file.
#[derive(Debug)]
pub(super) struct Object {
    /// Aligned for the ELF reader.
    words: Vec<u64>,
    len: usize,
}

/// The kernel function of the helper that [`CALLBACKS`] needs (kernel/bpf/bpf_iter.c).
pub(super) const LOOP: &str = "bpf_loop";

impl Packed {
    /// The object for a kernel with or without the function [`LOOP`].
    pub(super) fn for_kernel(has_loop: bool, layout: &Layout) -> Self {
        if has_loop && layout.sock_fits() { CALLBACKS } else { BOUNDED }
    }

    /// The object that a kernel most likely needs, judged by its version only.
    pub(super) fn most_probable(kernel: Generation) -> Self {
        if kernel >= Generation::new(5, 17) { CALLBACKS } else { BOUNDED }
    }

    /// Unpacks the object. Fails only if the portbind binary is damaged.
    pub(super) fn unpack(self) -> Result<Object, DecompressError> {
        let (len, packed) = uncompressed_size(self.0)?;
        let mut words = vec![0_u64; len.div_ceil(size_of::<u64>())];
        let len = decompress_into(packed, words.as_mut_bytes())?;
        Ok(Object { words, len })
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl Object {
    pub(super) fn bytes(&self) -> &[u8] {
        self.words.as_bytes().get(..self.len).unwrap_or_default()
    }
}
