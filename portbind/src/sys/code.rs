//! The code of this process.

#![expect(unsafe_code, reason = "the linker's symbols and madvise(2) take addresses")]

use rustix::mm::{Advice, madvise};
use rustix::param::page_size;

unsafe extern "C" {
    /// Where the program begins in memory, and where its code ends, as the linker says (end(3)).
    static __executable_start: u8;
    static etext: u8;
}

/// Has the kernel take the code out of the resident memory; what is still needed comes back from the page cache when it is
/// run. Who traces for hours does not need the code that a start takes, which is more than half of all.
pub fn let_go() {
    let (start, end) = ((&raw const __executable_start).addr(), (&raw const etext).addr());
    let page = page_size();
    let (start, end) = (start.next_multiple_of(page), end - end % page);
    let code = (&raw const __executable_start).with_addr(start).cast_mut();
    // SAFETY: between the two symbols there is only what was mapped from the file of this program, privately, and never
    // written to: what is read there again is the same. If the kernel refuses it, everything stays as it is.
    let _kept = unsafe { madvise(code.cast(), end.saturating_sub(start), Advice::LinuxDontNeed) };
}
