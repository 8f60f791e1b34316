//! The built kernel half, embedded, so that building portbind needs neither nightly nor LLVM.

use lz4_flex::block::{DecompressError, decompress_into, uncompressed_size};
use portbind_abi::layout::Layout;
use zerocopy::IntoBytes as _;

use crate::diagnosis::rule::Generation;

/// An object file, packed by build.rs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(&'static [u8]);

/// What `cargo xtask ebpf` built (`portbind/bpf/portbind.o`). Its loops call the helper `bpf_loop` (Linux 5.17): the
/// verifier goes through each once.
pub(super) const CALLBACKS: Packed = Packed(include_bytes!(concat!(env!("OUT_DIR"), "/portbind.o.lz4")));

/// The same with bounded loops and a read for each field of a socket, for other kernels: the verifier goes through
/// every step.
pub(super) const BOUNDED: Packed =
    Packed(include_bytes!(concat!(env!("OUT_DIR"), "/portbind-bounded.o.lz4")));

/// An object file.
#[derive(Debug)]
pub(super) struct Object {
    /// Aligned for the ELF reader.
    words: Vec<u64>,
    len: usize,
}

/// The function of the helper that [`CALLBACKS`] needs (kernel/bpf/bpf_iter.c).
pub(super) const LOOP: &str = "bpf_loop";

impl Packed {
    /// The one for a kernel with or without the function [`LOOP`].
    pub(super) fn for_kernel(has_loop: bool, layout: &Layout) -> Self {
        if has_loop && layout.sock_fits() { CALLBACKS } else { BOUNDED }
    }

    /// The one that a kernel most probably needs, by its version alone.
    pub(super) fn most_probable(kernel: Generation) -> Self {
        if kernel >= Generation::new(5, 17) { CALLBACKS } else { BOUNDED }
    }

    /// Unpacks it. It fails only if this program is damaged.
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
