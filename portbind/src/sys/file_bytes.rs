//! The bytes of a file of the kernel, without a copy where that is possible.

#![expect(unsafe_code, reason = "the promise that the mapped file does not change")]

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

/// The running kernel's description of its own types.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Bytes that are mapped, or were read.
#[derive(Debug)]
pub enum FileBytes {
    /// Mapped.
    Mapped(Mmap),
    /// Read.
    Read(Vec<u8>),
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

/// [`KERNEL_BTF`]: mapped from 6.16 on, read before. Only a private mapping is granted: what others could
/// write to is refused (`VM_MAYSHARE`, btf_sysfs_vmlinux_mmap in kernel/bpf/sysfs_btf.c).
///
/// # Errors
/// If it cannot be read.
pub fn kernel_btf() -> io::Result<FileBytes> {
    let mut file = File::open(KERNEL_BTF)?;
    // SAFETY: the file is a part of the kernel's read-only memory; nothing writes to it or cuts it.
    if let Ok(bytes) = unsafe { MmapOptions::new().map_copy_read_only(&file) } {
        return Ok(FileBytes::Mapped(bytes));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(FileBytes::Read(bytes))
}
