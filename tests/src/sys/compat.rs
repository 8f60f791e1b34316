//! The system calls of 32-bit programs, made from a 64-bit one by `int 0x80`.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// System call numbers (arch/x86/entry/syscalls/syscall_32.tbl).
const SOCKETCALL: u32 = 102;
const BIND: u32 = 361;
const LISTEN: u32 = 363;
/// Calls of socketcall(2) (include/uapi/linux/net.h).
const SYS_BIND: u32 = 2;
const SYS_LISTEN: u32 = 4;
/// Size of the mapping that holds arguments.
const PAGE: usize = 4096;
/// Offset of the address in the mapping.
const ADDRESS_OFFSET: usize = 64;
/// Bytes for the address: the length of the longest sockaddr.
const ADDRESS_ROOM: usize = 128;

/// `bind(fd, address)`.
///
/// # Errors
///
/// The error of the kernel.
pub fn bind(fd: BorrowedFd<'_>, address: &[u8], socketcall: bool) -> io::Result<()> {
    let low = LowPage::new()?;
    let address = address.get(..ADDRESS_ROOM).unwrap_or(address);
    let length = u32::try_from(address.len()).map_err(io::Error::other)?;
    // SAFETY: the page is larger than the offset and the room, and no other code has a pointer to it.
    unsafe { low.0.add(ADDRESS_OFFSET).copy_from_nonoverlapping(address.as_ptr(), address.len()) };
    let pointer = low.address(ADDRESS_OFFSET)?;
    let number = if socketcall { SYS_BIND } else { BIND };
    call(&low, number, socketcall, [fd.as_raw_fd().unsigned_abs(), pointer, length])
}

/// `listen(fd, backlog)`.
///
/// # Errors
///
/// The error of the kernel.
pub fn listen(fd: BorrowedFd<'_>, backlog: u32, socketcall: bool) -> io::Result<()> {
    let number = if socketcall { SYS_LISTEN } else { LISTEN };
    call(&LowPage::new()?, number, socketcall, [fd.as_raw_fd().unsigned_abs(), backlog, 0])
}

/// Makes one call, with its arguments in registers or, for socketcall(2), in memory.
fn call(low: &LowPage, number: u32, socketcall: bool, arguments: [u32; 3]) -> io::Result<()> {
    let [first, second, third] = arguments;
    let status = if socketcall {
        // SAFETY: the page is aligned and larger than three words, and no other code has a pointer to it.
        unsafe { low.0.cast::<[u32; 3]>().write(arguments) };
        interrupt(SOCKETCALL, number, low.address(0)?, 0)
    } else {
        interrupt(number, first, second, third)
    };
    if status < 0 { Err(io::Error::from_raw_os_error(-status)) } else { Ok(()) }
}

/// `int 0x80`.
fn interrupt(number: u32, first: u32, second: u32, third: u32) -> i32 {
    let status: u64;
    // SAFETY: bind, listen and socketcall read user memory only, from addresses that the kernel checks. rbx is reserved
    // by the compiler, so it is restored. The entry may clear r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg {first}, rbx",
            "int 0x80",
            "xchg {first}, rbx",
            first = inout(reg) u64::from(first) => _,
            inlateout("rax") u64::from(number) => status,
            in("rcx") u64::from(second),
            in("rdx") u64::from(third),
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    // The upper half is the sign extension of a 32-bit result.
    #[expect(clippy::cast_possible_truncation, reason = "the result has 32 bits")]
    let status = status as i32;
    status
}

/// Memory at a 32-bit address.
struct LowPage(*mut u8);

impl LowPage {
    fn new() -> io::Result<Self> {
        // SAFETY: a new private mapping at an address the kernel chooses touches no existing memory.
        let pointer = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
                -1,
                0,
            )
        };
        if pointer == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self(pointer.cast())) }
    }

    /// The address of a byte of the page.
    fn address(&self, offset: usize) -> io::Result<u32> {
        u32::try_from(self.0.expose_provenance() + offset).map_err(io::Error::other)
    }
}

impl Drop for LowPage {
    fn drop(&mut self) {
        // SAFETY: the page was mapped by `new`, and no call uses it any more.
        unsafe { libc::munmap(self.0.cast(), PAGE) };
    }
}
