//! The open files of one task, read from its descriptor table.
//!
//! No lock or reference is held. While the program runs, RCU keeps the kernel from freeing the table and part of its
//! contents. A match is read a second time and reported only if it has not changed.

use portbind_abi::OpenSocket;

use super::wanted::{SOCKFS_MAGIC, is_wanted};
use crate::kernel::globals::at;
use crate::kernel::iterator::TaskContext;
use crate::kernel::memory::Ptr;
use crate::kernel::{Each, count_up};

/// Descriptors that are read at once. The size of every table is a multiple of 64 (alloc_fdtable, fs/file.c).
const BATCH: u32 = 32;

/// Reports the wanted sockets of a task, unless the task shares its files with its thread group leader.
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

/// A batch of slots of the table.
struct Batch<'a> {
    table: &'a Table,
    /// The descriptor of the first slot.
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

    /// Reports the file at a descriptor, if it is a socket.
    #[inline(always)]
    fn emit(&self, fd: u32, file: Ptr, inode: u64) {
        let task = self.context.task;
        let found = file.follow(at!(file_inode));
        let is_socket = found.follow(at!(inode_sb)).read::<u64>(at!(super_magic)) == SOCKFS_MAGIC;
        let is_same = found.read::<u64>(at!(inode_ino)) == inode;
        // In this order: if another file replaced this one, the slot has changed; if another task now uses the table,
        // this task's pointer has changed.
        let is_there = self.slot(fd).follow(0) == file && task.follow(at!(task_files)) == self.files;
        if is_socket && is_same && is_there {
            let pid = task.read::<i32>(at!(task_tgid)) as u32;
            let start_time = task.follow(at!(task_group_leader)).read(at!(task_start_boottime));
            self.context.reader.write(&OpenSocket { inode, start_time, pid, fd });
        }
    }
}
