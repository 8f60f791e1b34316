//! The built kernel half, embedded, so that building portbind needs neither nightly nor LLVM.

use super::btf::Btf;

/// What `cargo xtask ebpf` built (`portbind/bpf/portbind.o`), aligned for the ELF reader. Its loops call the helper
/// `bpf_loop` (Linux 5.17): the verifier goes through each once.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/bpf/portbind.o"));

/// The same with bounded loops, for kernels without that helper: the verifier goes through every step.
static BOUNDED: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/bpf/portbind-bounded.o"));

/// The object for the running kernel, whose function is the helper's (kernel/bpf/bpf_iter.c).
pub(super) fn object(btf: &Btf<'_>) -> &'static [u8] {
    if btf.has_function("bpf_loop") { OBJECT } else { BOUNDED }
}
