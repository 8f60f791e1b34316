//! Resources that threads of other processes share.

#![expect(unsafe_code, reason = "no crate wraps the call")]

/// `KCMP_FILES` (include/uapi/linux/kcmp.h, 6.18).
const KCMP_FILES: libc::c_int = 2;

/// Whether a thread has other descriptors than its process, after `unshare(CLONE_FILES)`. If the kernel does not say so
/// (no kcmp(2), or no right to call it), the answer is no: nearly all threads share their descriptors.
#[must_use]
pub fn has_own_descriptors(pid: u32, tid: u32) -> bool {
    let unused: libc::c_ulong = 0;
    // SAFETY: the arguments are numbers, and the call writes no memory.
    let order = unsafe {
        libc::syscall(libc::SYS_kcmp, pid.cast_signed(), tid.cast_signed(), KCMP_FILES, unused, unused)
    };
    order > 0
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use rustix::thread::{UnshareFlags, gettid, unshare_unsafe};

    use super::*;

    #[test]
    fn a_thread_with_descriptors_of_its_own_is_known() {
        let pid = std::process::id();
        let (say, said) = channel();
        let (end, ended) = channel::<()>();
        let thread = thread::spawn(move || {
            let tid = gettid().as_raw_nonzero().get().cast_unsigned();
            say.send(tid).unwrap();
            ended.recv().unwrap();
            // SAFETY: from here on, this thread uses no descriptor that another thread opened or closed.
            unsafe { unshare_unsafe(UnshareFlags::FILES) }.unwrap();
            say.send(tid).unwrap();
            ended.recv().unwrap();
        });
        let tid = said.recv().unwrap();
        assert!(!has_own_descriptors(pid, tid) && !has_own_descriptors(pid, u32::MAX >> 1));
        end.send(()).unwrap();
        said.recv().unwrap();
        let has_own = has_own_descriptors(pid, tid);
        end.send(()).unwrap();
        thread.join().unwrap();
        assert!(has_own);
    }
}
