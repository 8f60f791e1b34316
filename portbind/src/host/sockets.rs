//! Finds the processes that have sockets open, through the descriptor links of `/proc`.

use std::collections::HashSet;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, openat, readlinkat_raw, statat};
use rustix::io::{Errno, read};

use super::owners::{FdSource, OwnerMap, from_triples};
use super::procfs::Procfs;
use super::stat::Stat;
use crate::sys::tasks::has_own_descriptors;

/// Longer than `socket:[18446744073709551615]`; a longer link does not refer to a socket.
const LINK: usize = 32;
/// Searching this many processes takes longer than starting a thread.
const WORTH_A_THREAD: usize = 128;
/// More threads do not search faster.
const MOST_THREADS: usize = 16;
/// The most descriptors that are searched in a query for a single process: 5 ms.
const MOST_DESCRIPTORS: usize = 4096;
/// The most threads of one process that are checked for descriptors of their own: a microsecond per thread.
const MOST_THREADS_ASKED: usize = 16 * 1024;
/// Bytes for a line of `/proc/PID/stat`: 52 numbers and a name.
const STAT: usize = 2048;
/// Bytes for the names of one getdents64 call.
const NAMES: usize = 16 * 1024;

/// Searches for sockets among the descriptors of all processes.
///
/// A descriptor link of a socket reads `socket:[INODE]` (sockfs_dname in net/socket.c). The search does not find
/// sockets in flight between processes, sockets that only io_uring keeps, and sockets of processes in a pid namespace
/// that this process's pid namespace does not contain.
#[derive(Clone, Debug)]
pub struct SocketOwners {
    procfs: Procfs,
}

/// The result of a search through all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The owners of the sockets.
    pub owners: OwnerMap,
    /// The number of processes whose descriptors this process may not see (ptrace_may_access in proc_fd_permission,
    /// fs/proc/fd.c); if it is not zero, the owners may be incomplete.
    pub unreadable: usize,
}

impl SocketOwners {
    /// Searches this process table.
    #[must_use]
    pub fn new(procfs: Procfs) -> Self {
        Self { procfs }
    }

    /// Searches every process.
    ///
    /// # Errors
    ///
    /// Fails if the process table cannot be listed.
    pub fn scan(&self, inodes: &HashSet<u64>) -> io::Result<Scan> {
        if inodes.is_empty() {
            return Ok(Scan::default());
        }
        self.scan_where(&|inode| inodes.contains(&inode))
    }

    /// Searches every process for the sockets with wanted inodes.
    ///
    /// # Errors
    ///
    /// Fails if the process table cannot be listed.
    pub fn scan_where(&self, wanted: Wanted<'_>) -> io::Result<Scan> {
        let table = openat(CWD, self.procfs.root(), directory(), Mode::empty())?;
        let pids = processes(&table, usize::MAX)?;
        let search = |pids: &[u32]| {
            let mut search = Search::new(table.as_fd(), wanted);
            pids.iter().for_each(|&pid| search.process(pid));
            (search.found, search.unreadable)
        };
        let (mut found, mut unreadable) = (Vec::new(), 0);
        for part in in_parts(&pids, &search) {
            found.extend(part.0);
            unreadable += part.1;
        }
        Ok(Scan { owners: from_triples(found), unreadable })
    }

    /// Whether there are at least `count` processes. Lists no more of the table than necessary: the kernel takes 2 ms
    /// per thousand processes.
    #[must_use]
    pub fn has_processes(&self, count: usize) -> bool {
        let table = openat(CWD, self.procfs.root(), directory(), Mode::empty());
        let some = table.map_err(io::Error::from).and_then(|table| processes(&table, count));
        some.is_ok_and(|some| some.len() == count)
    }

    /// Whether a process has one of these sockets open right now.
    #[must_use]
    pub fn has_any(&self, pid: u32, inodes: &[u64]) -> bool {
        let Ok(table) = openat(CWD, self.procfs.root(), directory(), Mode::empty()) else { return false };
        let wanted = |inode: u64| inodes.contains(&inode);
        let mut search = Search::new(table.as_fd(), &wanted);
        search.process(pid);
        !search.found.is_empty()
    }

    /// The descriptors by which a process has this socket open right now, ascending, among its first 4,096.
    #[must_use]
    pub fn descriptors_of(&self, pid: u32, inode: u64) -> Vec<u32> {
        let Ok(table) = openat(CWD, self.procfs.root(), directory(), Mode::empty()) else {
            return Vec::new();
        };
        let wanted = |other: u64| other == inode;
        let mut search = Search { most: MOST_DESCRIPTORS, ..Search::new(table.as_fd(), &wanted) };
        search.process(pid);
        let mut fds: Vec<u32> = search.found.into_iter().map(|(_, fd, _)| fd).collect();
        fds.sort_unstable();
        fds
    }

    /// Whether this descriptor refers to this socket right now.
    #[must_use]
    pub fn verify(&self, pid: u32, fd: u32, inode: u64) -> bool {
        self.procfs.link(&format!("{pid}/fd/{fd}")).as_deref().and_then(socket) == Some(inode)
    }
}

impl FdSource for SocketOwners {
    /// Like [`SocketOwners::scan`]; a process table that cannot be listed yields no owners.
    fn find(&self, inodes: &HashSet<u64>) -> OwnerMap {
        self.scan(inodes).unwrap_or_default().owners
    }
}

/// Which inodes are wanted.
type Wanted<'a> = &'a (dyn Fn(u64) -> bool + Sync);

/// The results for a part of the processes: pid, descriptor and inode, and the number of processes that may not be
/// read.
type Part = (Vec<(u32, u32, u64)>, usize);

/// The pids in a process table, at most `most`.
fn processes(table: &OwnedFd, most: usize) -> io::Result<Vec<u32>> {
    let mut buffer = [MaybeUninit::uninit(); NAMES];
    let mut entries = RawDir::new(table, &mut buffer);
    let mut pids = Vec::new();
    while pids.len() < most
        && let Some(entry) = entries.next()
    {
        pids.extend(number(entry?.file_name()));
    }
    Ok(pids)
}

/// Searches parts of many processes in parallel: nearly all of the time is spent in the kernel.
fn in_parts(pids: &[u32], search: &(impl Fn(&[u32]) -> Part + Sync)) -> Vec<Part> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let parts = pids.len().div_ceil(WORTH_A_THREAD).clamp(1, threads.min(MOST_THREADS));
    if parts == 1 {
        return vec![search(pids)];
    }
    let size = pids.len().div_ceil(parts).max(1);
    std::thread::scope(|scope| {
        let parts = pids.chunks(size);
        let running: Vec<_> = parts
            .map(|part| (part, std::thread::Builder::new().spawn_scoped(scope, move || search(part))))
            .collect();
        // This thread searches the part of a thread that could not be started or failed.
        running
            .into_iter()
            .map(|(part, thread)| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|_| search(part)),
                Err(_) => search(part),
            })
            .collect()
    })
}

struct Search<'a, Table> {
    table: Table,
    wanted: Wanted<'a>,
    found: Vec<(u32, u32, u64)>,
    unreadable: usize,
    /// The last process that was counted as unreadable.
    closed: Option<u32>,
    /// The most descriptors of a process that are read.
    most: usize,
}

impl<'a, Table: AsFd> Search<'a, Table> {
    const fn new(table: Table, wanted: Wanted<'a>) -> Self {
        Self { table, wanted, found: Vec::new(), unreadable: 0, closed: None, most: usize::MAX }
    }

    fn process(&mut self, pid: u32) {
        // A process without any descriptor may be one whose first thread has ended; its other threads still have
        // descriptors.
        match self.open(&format!("{pid}/fd")) {
            Ok(folder) if self.descriptors(pid, &folder) == 0 => self.threads(pid),
            Ok(_) => self.threads_apart(pid),
            Err(Errno::ACCESS | Errno::PERM) => self.is_closed(pid),
            // The process has ended.
            Err(_) => {}
        }
    }

    /// Reads the descriptors of the first other thread that has any.
    fn threads(&mut self, pid: u32) {
        for tid in self.other_threads(pid) {
            let Ok(folder) = self.open(&format!("{pid}/task/{tid}/fd")) else { continue };
            if self.descriptors(pid, &folder) > 0 {
                break;
            }
        }
    }

    /// Reads the descriptors of threads that no longer share them with their process.
    fn threads_apart(&mut self, pid: u32) {
        // The link count of a folder is one for itself, one for each subfolder, and one more (proc_task_getattr in
        // fs/proc/base.c, 6.18).
        let tasks = statat(&self.table, format!("{pid}/task"), AtFlags::empty());
        if tasks.is_ok_and(|tasks| tasks.st_nlink > 3) {
            for tid in self.other_threads(pid) {
                if has_own_descriptors(pid, tid)
                    && let Ok(folder) = self.open(&format!("{pid}/task/{tid}/fd"))
                {
                    self.descriptors(pid, &folder);
                }
            }
        }
    }

    /// All threads of a process except the first.
    fn other_threads(&self, pid: u32) -> Vec<u32> {
        let Ok(tasks) = self.open(&format!("{pid}/task")) else { return Vec::new() };
        let mut buffer = [MaybeUninit::uninit(); NAMES];
        let mut entries = RawDir::new(&tasks, &mut buffer);
        let mut tids = Vec::new();
        while tids.len() < MOST_THREADS_ASKED
            && let Some(Ok(entry)) = entries.next()
        {
            tids.extend(number(entry.file_name()).filter(|&tid| tid != pid));
        }
        tids
    }

    /// Reads each link of a folder; returns the number of links.
    fn descriptors(&mut self, pid: u32, folder: &OwnedFd) -> usize {
        let mut seen = 0;
        let mut buffer = [MaybeUninit::uninit(); NAMES];
        let mut entries = RawDir::new(folder, &mut buffer);
        while seen < self.most
            && let Some(Ok(entry)) = entries.next()
        {
            let Some(fd) = number(entry.file_name()) else { continue };
            seen += 1;
            let mut link = [0; LINK];
            let length = match readlinkat_raw(folder, entry.file_name(), &mut link[..]) {
                Ok(length) => length,
                // Root may list the folder without any capability, but may not read its links without CAP_SYS_PTRACE
                // (proc_pid_readlink in fs/proc/base.c, 6.18).
                Err(Errno::ACCESS | Errno::PERM) => {
                    self.is_closed(pid);
                    break;
                }
                Err(_) => continue,
            };
            if let Some(inode) = link.get(..length).and_then(socket)
                && (self.wanted)(inode)
            {
                self.found.push((pid, fd, inode));
            }
        }
        seen
    }

    /// Counts a process whose descriptors may not be read, once. The kernel refuses the same for a process that has
    /// ended since (proc_fd_access_allowed in fs/proc/base.c, 6.18): that one has none.
    fn is_closed(&mut self, pid: u32) {
        if self.closed != Some(pid) && self.runs(pid) {
            self.closed = Some(pid);
            self.unreadable += 1;
        }
    }

    /// Whether a process has not ended.
    fn runs(&self, pid: u32) -> bool {
        let file =
            openat(&self.table, format!("{pid}/stat"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let mut stat = [0; STAT];
        let length = file.and_then(|file| read(&file, &mut stat[..])).unwrap_or_default();
        stat.get(..length).and_then(Stat::parse).is_some_and(|stat| !stat.has_ended())
    }

    fn open(&self, path: &str) -> Result<OwnedFd, Errno> {
        openat(&self.table, path, directory(), Mode::empty())
    }
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// The number in a file name.
fn number(name: &CStr) -> Option<u32> {
    let bytes = name.to_bytes();
    bytes.first()?.is_ascii_digit().then_some(())?;
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The inode in a link to a socket.
fn socket(link: &[u8]) -> Option<u64> {
    let inside = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    inside.first()?.is_ascii_digit().then_some(())?;
    std::str::from_utf8(inside).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "sockets_tests.rs"]
mod tests;
