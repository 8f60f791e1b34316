//! Iterators of the kernel, loaded by the number of the function that stands for each.
//!
//! aya finds the number in a parsed description of all types up to it: 70 bytes each, of more than 100,000.

#![expect(unsafe_code, reason = "the system call takes addresses in a union")]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use aya_obj::generated::bpf_attach_type::BPF_TRACE_ITER;
use aya_obj::generated::bpf_cmd::{BPF_ITER_CREATE, BPF_LINK_CREATE, BPF_PROG_LOAD};
use aya_obj::generated::bpf_prog_type::BPF_PROG_TYPE_TRACING;
use aya_obj::generated::{bpf_attr, bpf_cmd, bpf_insn};

/// `BPF_LOG_STATS` in `include/linux/bpf_verifier.h`: errors and the closing statistics.
const LOG_STATS: u32 = 4;

/// A program that has been relocated.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Its name; the kernel keeps the first 15 bytes.
    pub name: &'a str,
    /// Its licence.
    pub license: &'a CStr,
    /// Id of the type of the function in the kernel's BTF.
    pub function: u32,
    /// Its instructions.
    pub instructions: &'a [bpf_insn],
}

/// Loads a program. If the verifier refuses it, `log` has why, up to the first NUL.
///
/// # Errors
/// The kernel's.
pub fn load(program: &Program<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: every member of the union is made of integers, and all of its bytes are zero.
    let load = unsafe { &mut attr.__bindgen_anon_3 };
    load.prog_type = BPF_PROG_TYPE_TRACING as u32;
    load.expected_attach_type = BPF_TRACE_ITER as u32;
    load.attach_btf_id = program.function;
    load.insns = program.instructions.as_ptr() as u64;
    load.insn_cnt = length(program.instructions.len())?;
    load.license = program.license.as_ptr() as u64;
    let end = load.prog_name.len() - 1;
    for (to, from) in load.prog_name.iter_mut().take(end).zip(program.name.bytes()) {
        *to = from.cast_signed();
    }
    if !log.is_empty() {
        load.log_level = LOG_STATS;
        load.log_buf = log.as_mut_ptr() as u64;
        load.log_size = length(log.len())?;
    }
    call(BPF_PROG_LOAD, &mut attr)
}

/// Begins a walk: a file that is read once.
///
/// # Errors
/// The kernel's.
pub fn walk(program: BorrowedFd<'_>) -> io::Result<File> {
    let mut attr = empty();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = BPF_TRACE_ITER as u32;
    let link = call(BPF_LINK_CREATE, &mut attr)?;
    let mut attr = empty();
    attr.iter_create.link_fd = link.as_raw_fd().cast_unsigned();
    Ok(call(BPF_ITER_CREATE, &mut attr)?.into())
}

const fn empty() -> bpf_attr {
    // SAFETY: every member of the union is made of integers.
    unsafe { std::mem::zeroed() }
}

fn length(len: usize) -> io::Result<u32> {
    u32::try_from(len).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// One of the commands that give a descriptor.
fn call(cmd: bpf_cmd, attr: &mut bpf_attr) -> io::Result<OwnedFd> {
    let attr: *mut bpf_attr = attr;
    // SAFETY: the attributes are as long as said, and what they point to is borrowed for longer than the call; the
    // kernel writes to nothing but the log.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, cmd as u32, attr, size_of::<bpf_attr>()) };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the commands that come here return a new descriptor, which nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
