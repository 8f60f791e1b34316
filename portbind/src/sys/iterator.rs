//! BPF iterators: programs whose output a reader of a file gets.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use aya_obj::generated::bpf_cmd::{BPF_ITER_CREATE, BPF_LINK_CREATE};

use super::bpf::{empty, open};

/// Makes an iterator from a program; walks can begin while the iterator is open.
///
/// # Errors
/// The kernel's error.
pub fn attach(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = empty();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = BPF_TRACE_ITER as u32;
    open(BPF_LINK_CREATE, &mut attr)
}

/// Begins a walk: a file that is read once. A walk requires no capability from 5.19 on, CAP_BPF before.
///
/// # Errors
/// The kernel's error.
pub fn walk(iterator: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = empty();
    attr.iter_create.link_fd = iterator.as_raw_fd().cast_unsigned();
    Ok(open(BPF_ITER_CREATE, &mut attr)?.into())
}
