//! Checks a descriptor that the helper sent. The helper has only a user's rights, so portbind trusts only what the
//! kernel reports about the descriptor.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat, fstatfs, major, minor};

use super::refused::Refused;

/// Magic numbers of file systems whose files control the kernel (include/uapi/linux/magic.h, 6.18): a write by root can
/// have effects there that a write by the user could not.
const OF_KERNEL: [u32; 11] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0xcafe_4a11, // bpf
    0x6265_6570, // configfs
];

/// Major and minor numbers of null, zero and full (`memory` in drivers/char/mem.c, 6.18;
/// Documentation/admin-guide/devices.txt).
const MEMORY: u32 = 1;
const HARMLESS: [u32; 3] = [3, 5, 7];

/// The expected kind of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A newly created file, or a file on a disk.
    Regular,
    /// A destination for logs: also a pipe, a terminal, /dev/null.
    Stream,
}

/// Accepts a descriptor if it may be written to, and makes writes to it blocking.
///
/// # Errors
/// [`Refused::Special`] if it is of another kind; the errors of fcntl(2).
pub(super) fn take(descriptor: OwnedFd, expected: Expected, appends: bool) -> io::Result<File> {
    let refused = || io::Error::other(Refused::Special);
    let flags = fcntl_getfl(&descriptor)?;
    let may_be_written = matches!(flags & OFlags::RWMODE, OFlags::WRONLY | OFlags::RDWR);
    let file = File::from(descriptor);
    if flags.contains(OFlags::PATH) || !may_be_written || !is_expected(&file, expected)? {
        return Err(refused());
    }
    fcntl_setfl(&file, if appends { OFlags::APPEND } else { OFlags::empty() })?;
    Ok(file)
}

fn is_expected(file: &File, expected: Expected) -> io::Result<bool> {
    let stat = fstat(file)?;
    let is_harmless = |device| major(device) == MEMORY && HARMLESS.contains(&minor(device));
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => !is_of_kernel(file)?,
        FileType::Fifo => expected == Expected::Stream,
        FileType::CharacterDevice => {
            expected == Expected::Stream && (is_harmless(stat.st_rdev) || file.is_terminal())
        }
        _ => false,
    })
}

fn is_of_kernel(file: &File) -> io::Result<bool> {
    // The type of `f_type` depends on the architecture; the magic numbers have 32 bits.
    let kind = fstatfs(file)?.f_type.cast_unsigned();
    Ok(OF_KERNEL.iter().any(|known| u64::from(*known) == kind & u64::from(u32::MAX)))
}
