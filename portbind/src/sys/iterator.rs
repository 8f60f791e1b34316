//! Iterators of the kernel: programs that write what a reader of a file gets.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use aya_obj::generated::bpf_cmd::{BPF_ITER_CREATE, BPF_LINK_CREATE};

use super::bpf::{empty, open};

/// Begins a walk: a file that is read once.
///
/// # Errors
/// The kernel's.
pub fn walk(program: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = empty();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = BPF_TRACE_ITER as u32;
    let link = open(BPF_LINK_CREATE, &mut attr)?;
    let mut attr = empty();
    attr.iter_create.link_fd = link.as_raw_fd().cast_unsigned();
    Ok(open(BPF_ITER_CREATE, &mut attr)?.into())
}
