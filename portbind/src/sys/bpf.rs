//! The bpf(2) system call, through which the user half loads and controls the kernel half.

#![expect(unsafe_code, reason = "the system call takes addresses in a union")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use aya_obj::generated::bpf_cmd::{BPF_BTF_LOAD, BPF_MAP_FREEZE, BPF_MAP_UPDATE_ELEM};
use aya_obj::generated::{bpf_attr, bpf_cmd};

/// Loads the types of an object into the kernel, so that the object's functions have names and prototypes.
///
/// # Errors
/// The kernel's error.
pub fn load_types(btf: &[u8]) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: every member of the union is made of integers, and all of its bytes are zero.
    let load = unsafe { &mut attr.__bindgen_anon_7 };
    load.btf = btf.as_ptr() as u64;
    load.btf_size = length(btf.len())?;
    open(BPF_BTF_LOAD, &mut attr)
}

/// Fills a map of one value and freezes it: the verifier then treats the value as constant.
///
/// # Errors
/// The kernel's error.
pub fn fill_for_good(map: BorrowedFd<'_>, value: &[u8]) -> io::Result<()> {
    let mut attr = empty();
    let key = 0_u32;
    // SAFETY: every member of the union is made of integers, and all of its bytes are zero.
    let update = unsafe { &mut attr.__bindgen_anon_2 };
    update.map_fd = map.as_raw_fd().cast_unsigned();
    update.key = (&raw const key) as u64;
    update.__bindgen_anon_1.value = value.as_ptr() as u64;
    call(BPF_MAP_UPDATE_ELEM, &mut attr)?;
    let mut attr = empty();
    attr.__bindgen_anon_2.map_fd = map.as_raw_fd().cast_unsigned();
    call(BPF_MAP_FREEZE, &mut attr).map(drop)
}

/// Attributes with all bytes zero.
pub(super) const fn empty() -> bpf_attr {
    // SAFETY: every member of the union is made of integers.
    unsafe { std::mem::zeroed() }
}

/// A length in the type of the attributes.
pub(super) fn length(len: usize) -> io::Result<u32> {
    u32::try_from(len).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Runs a command that returns a descriptor.
pub(super) fn open(cmd: bpf_cmd, attr: &mut bpf_attr) -> io::Result<OwnedFd> {
    let fd = call(cmd, attr)?;
    // SAFETY: the commands passed here return a new descriptor, which has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs a command.
fn call(cmd: bpf_cmd, attr: &mut bpf_attr) -> io::Result<i32> {
    let attr: *mut bpf_attr = attr;
    // SAFETY: the size matches the attributes, and the memory that they point to is borrowed for longer than the call;
    // the kernel writes to the log only.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, cmd as u32, attr, size_of::<bpf_attr>()) };
    match i32::try_from(answer).map_err(io::Error::other)? {
        answer if answer < 0 => Err(io::Error::last_os_error()),
        answer => Ok(answer),
    }
}
