//! The bytes of a kernel file, without a copy where possible.

#![expect(unsafe_code, reason = "a mapping requires the promise that the file does not change")]

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

/// The running kernel's description of its own types.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Bytes of a file, mapped or read.
#[derive(Debug)]
pub enum FileBytes {
    /// Mapped bytes.
    Mapped(Mmap),
    /// A copy of the bytes.
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

/// The bytes of [`KERNEL_BTF`]: mapped from 6.16 on, read before. The kernel permits a private mapping only, and
/// refuses one that other processes could write to (`VM_MAYSHARE`, btf_sysfs_vmlinux_mmap in kernel/bpf/sysfs_btf.c).
///
/// # Errors
/// If the file cannot be read.
pub fn kernel_btf() -> io::Result<FileBytes> {
    let mut file = File::open(KERNEL_BTF)?;
    // SAFETY: the file is part of the kernel's read-only memory, which is neither written to nor truncated.
    if let Ok(bytes) = unsafe { MmapOptions::new().map_copy_read_only(&file) } {
        return Ok(FileBytes::Mapped(bytes));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(FileBytes::Read(bytes))
}
