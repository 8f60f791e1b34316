//! Finds the wanted sockets among all open files. There are many open files, so this code is about speed.
//!
//! The kernel's own iterator over files takes and drops a reference to each file, which takes half the time of a run,
//! and can delay the end of a socket until portbind drops its reference. So this code reads the descriptor tables
//! directly, task by task. That needs a loop without a fixed bound: the object for older kernels uses the kernel's
//! iterator.

#[cfg(feature = "bounded")]
pub(crate) mod file;
#[cfg(not(feature = "bounded"))]
pub(crate) mod table;
pub(crate) mod wanted;
