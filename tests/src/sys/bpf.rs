//! Which BPF programs the kernel has loaded.

use std::io;

/// `BPF_PROG_GET_NEXT_ID` of `bpf(2)`.
const PROG_GET_NEXT_ID: libc::c_long = 11;

/// The head of `union bpf_attr` for the `GET_NEXT_ID` commands.
#[repr(C)]
#[derive(Default)]
struct NextId {
    start: u32,
    next: u32,
    flags: u32,
}

/// The ids of all loaded programs, ascending.
///
/// # Errors
///
/// If the kernel does not let the caller list them.
pub fn program_ids() -> io::Result<Vec<u32>> {
    let mut ids = Vec::new();
    let mut attr = NextId::default();
    loop {
        // SAFETY: the command reads and writes `size` bytes at the pointer, which is a live,
        // exclusively borrowed `NextId` of exactly that size.
        let result =
            unsafe { libc::syscall(libc::SYS_bpf, PROG_GET_NEXT_ID, &raw mut attr, size_of::<NextId>()) };
        if result == 0 {
            ids.push(attr.next);
            attr.start = attr.next;
            continue;
        }
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ENOENT) { Ok(ids) } else { Err(error) };
    }
}
