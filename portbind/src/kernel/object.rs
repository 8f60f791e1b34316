//! The built kernel half, embedded, so that building portbind needs neither nightly nor LLVM.

use portbind_ebpf::layout::Layout;

use super::btf::Btf;

/// What `cargo xtask ebpf` built (`portbind/bpf/portbind.o`), aligned for the ELF reader. Its loops call the helper
/// `bpf_loop` (Linux 5.17): the verifier goes through each once.
pub(super) static OBJECT: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/bpf/portbind.o"));

/// The same with bounded loops and a read for each field of a socket, for other kernels: the verifier goes through
/// every step.
pub(super) static BOUNDED: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/bpf/portbind-bounded.o"));

/// The object for the running kernel; the function is the helper's (kernel/bpf/bpf_iter.c).
pub(super) fn object(btf: &Btf<'_>, layout: &Layout) -> &'static [u8] {
    if btf.has_function("bpf_loop") && layout.sock_fits() { OBJECT } else { BOUNDED }
}
