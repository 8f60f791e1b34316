//! Of all open files, the sockets that are asked for: there are many of the former, so that this is about speed.
//!
//! The kernel's own iterator over files takes a reference to each and gives it back, which is half of the time of a
//! walk, and has the end of a socket wait for us. So the tables of descriptors are looked through here, task by task.
//! That takes a loop without a bound: the object for older kernels goes by files.

#[cfg(feature = "bounded")]
pub(crate) mod file;
#[cfg(not(feature = "bounded"))]
pub(crate) mod table;
pub(crate) mod wanted;
