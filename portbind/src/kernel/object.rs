//! The built kernel half, embedded, so that building portbind needs neither nightly nor LLVM.

/// The object that `cargo xtask ebpf` built (`portbind/bpf/portbind.o`), aligned for the ELF reader.
pub static OBJECT: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/bpf/portbind.o"));
