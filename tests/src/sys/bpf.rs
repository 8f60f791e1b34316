//! BPF programs: lists the loaded ones, and loads one that forbids binds.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

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

/// The ids of all loaded programs in ascending order.
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

/// `BPF_PROG_LOAD` and `BPF_PROG_ATTACH` of `bpf(2)`.
const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
/// `BPF_PROG_TYPE_CGROUP_SOCK_ADDR`, attached as `BPF_CGROUP_INET4_BIND`.
const CGROUP_SOCK_ADDR: u32 = 18;
const INET4_BIND: u32 = 8;
/// `call bpf_set_retval(r1)`, since v5.18: one instruction, with the helper's number in the upper half.
const SET_RETVAL: u64 = 187 << 32 | 0x85;

/// The head of `union bpf_attr` for `PROG_LOAD`.
#[repr(C)]
#[derive(Default)]
struct Load {
    program_type: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log: [u64; 2],
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attached_as: u32,
}

/// The head of `union bpf_attr` for `PROG_ATTACH`.
#[repr(C)]
struct Attach {
    target: i32,
    program: i32,
    kind: u32,
    flags: u32,
}

/// The refusing program: `r1 = -error; call bpf_set_retval` if an error is given, then `r0 = 0; exit`.
fn refusal(error: Option<u16>) -> Vec<u64> {
    let mut program = Vec::new();
    if let Some(error) = error {
        program.push(u64::from((-i32::from(error)).cast_unsigned()) << 32 | 0x1b7);
        program.push(SET_RETVAL);
    }
    program.extend([0xb7, 0x95]);
    program
}

/// Forbids every bind of an IPv4 socket in a cgroup, until the cgroup is removed. The caller of bind gets EPERM, or
/// `error` if the kernel has bpf_set_retval (v5.18).
///
/// # Errors
///
/// The error of the kernel.
pub fn forbid_binds(cgroup: BorrowedFd<'_>, error: Option<u16>) -> io::Result<()> {
    // Up to 5.10 programs count as locked memory, and portbind's programs belong to the same user. Later kernels have
    // no such limit, so a failure to raise it does not matter there.
    let endless = rustix::process::Rlimit { current: None, maximum: None };
    let _raised = rustix::process::setrlimit(rustix::process::Resource::Memlock, endless);
    let program = refusal(error);
    let load = Load {
        program_type: CGROUP_SOCK_ADDR,
        count: u32::try_from(program.len()).map_err(io::Error::other)?,
        instructions: program.as_ptr().addr() as u64,
        license: c"GPL".as_ptr().addr() as u64,
        attached_as: INET4_BIND,
        ..Load::default()
    };
    // SAFETY: the command reads `size` bytes at the pointer, which is a live `Load` of exactly that size,
    // `count` instructions of 8 bytes and a string with its NUL, all of which live until it returns.
    let program = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) };
    let program = i32::try_from(program).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just opened this descriptor for this caller alone.
    let program = unsafe { OwnedFd::from_raw_fd(program) };
    let attach =
        Attach { target: cgroup.as_raw_fd(), program: program.as_raw_fd(), kind: INET4_BIND, flags: 0 };
    // SAFETY: the command reads `size` bytes at the pointer, which is a live `Attach` of exactly that size.
    let result = unsafe { libc::syscall(libc::SYS_bpf, PROG_ATTACH, &raw const attach, size_of::<Attach>()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
