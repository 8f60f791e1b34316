//! The open files of one task, as they stand in its table of descriptors.
//!
//! Nothing is locked or held; the kernel frees neither a table nor, in part, what is in it while the program runs
//! (RCU). What looks like a hit is read once more, and believed if nothing of it has changed.

use portbind_abi::OpenSocket;

use super::wanted::{SOCKFS_MAGIC, is_wanted};
use crate::kernel::globals::at;
use crate::kernel::iterator::TaskContext;
use crate::kernel::memory::Ptr;
use crate::kernel::{Each, count_up};

/// Descriptors whose files are looked up at once. Every table has a multiple of 64 (alloc_fdtable, fs/file.c).
const BATCH: u32 = 32;

/// Looks through the files of a task, unless it shares them with the one that stands for its process.
#[inline(always)]
pub(crate) fn of_task(context: TaskContext) {
    let task = context.task;
    let files = task.follow(at!(task_files));
    let leader = task.follow(at!(task_group_leader));
    if files.is_null() || (leader != task && leader.follow(at!(task_files)) == files) {
        return;
    }
    let table = files.follow(at!(files_fdt));
    let slots = table.follow(at!(fdt_fd));
    let batches = table.read::<u32>(at!(fdt_max_fds)) / BATCH;
    count_up(batches, &mut Table { context, files, slots });
}

struct Table {
    context: TaskContext,
    files: Ptr,
    slots: Ptr,
}

impl Each for Table {
    #[inline(always)]
    fn each(&mut self, batch: u32) {
        let first = batch.wrapping_mul(BATCH);
        count_up(BATCH, &mut Batch { table: self, first, files: self.slot(first).read(0) });
    }
}

/// Some slots of the table.
struct Batch<'a> {
    table: &'a Table,
    /// The first one's descriptor.
    first: u32,
    files: [u64; BATCH as usize],
}

impl Each for Batch<'_> {
    #[inline(always)]
    fn each(&mut self, number: u32) {
        let file = Ptr(self.files[(number % BATCH) as usize]);
        if !file.is_null() {
            let inode = file.follow(at!(file_inode)).read(at!(inode_ino));
            if is_wanted(inode) {
                self.table.emit(self.first.wrapping_add(number), file, inode);
            }
        }
    }
}

impl Table {
    fn slot(&self, fd: u32) -> Ptr {
        Ptr(self.slots.0.wrapping_add(u64::from(fd) * 8))
    }

    /// Tells what is at a descriptor, if it is a socket.
    #[inline(always)]
    fn emit(&self, fd: u32, file: Ptr, inode: u64) {
        let task = self.context.task;
        let found = file.follow(at!(file_inode));
        let is_socket = found.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC;
        let is_same = found.read::<u64>(at!(inode_ino)) == inode;
        // In this order: a file that was put in another's place has the slot changed, a table that another task got
        // has the task without it.
        let is_there = self.slot(fd).follow(0) == file && task.follow(at!(task_files)) == self.files;
        if is_socket && is_same && is_there {
            let pid = task.read::<i32>(at!(task_tgid)) as u32;
            let start_time = task.follow(at!(task_group_leader)).read(at!(task_start_boottime));
            self.context.reader.write(&OpenSocket { inode, start_time, pid, fd });
        }
    }
}
