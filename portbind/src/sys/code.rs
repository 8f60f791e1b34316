//! The code of this process.

#![expect(unsafe_code, reason = "the linker's symbols and madvise(2) take addresses")]

use rustix::mm::{Advice, madvise};
use rustix::param::page_size;

unsafe extern "C" {
    /// The start of the program in memory, and the end of its code, as the linker defines them (end(3)).
    static __executable_start: u8;
    static etext: u8;
}

/// Makes the kernel drop the code from resident memory; code that runs again comes back from the page cache. A process
/// that traces for hours does not need the code of the start, which is more than half of all.
pub fn let_go() {
    let (start, end) = ((&raw const __executable_start).addr(), (&raw const etext).addr());
    let page = page_size();
    let (start, end) = (start.next_multiple_of(page), end - end % page);
    let code = (&raw const __executable_start).with_addr(start).cast_mut();
    // SAFETY: the memory between the two symbols is mapped privately from this program's file and never written to, so
    // the kernel restores the same bytes on the next access. If the kernel refuses the call, nothing changes.
    let _kept = unsafe { madvise(code.cast(), end.saturating_sub(start), Advice::LinuxDontNeed) };
}
