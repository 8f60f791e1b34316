//! Iterators of the kernel: programs that write what a reader of a file gets.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use aya_obj::generated::bpf_cmd::{BPF_ITER_CREATE, BPF_LINK_CREATE};

use super::bpf::{empty, open};

/// Makes an iterator of a program, from which walks can begin as long as it is open.
///
/// # Errors
/// The kernel's.
pub fn attach(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = empty();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = BPF_TRACE_ITER as u32;
    open(BPF_LINK_CREATE, &mut attr)
}

/// Begins a walk: a file that is read once. It takes no capability from 5.19 on, CAP_BPF before.
///
/// # Errors
/// The kernel's.
pub fn walk(iterator: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = empty();
    attr.iter_create.link_fd = iterator.as_raw_fd().cast_unsigned();
    Ok(open(BPF_ITER_CREATE, &mut attr)?.into())
}
