//! System calls that no safe crate offers.
//!
//! All `unsafe` code of the tests is here: raw socket options, interfaces, invalid addresses, `bpf(2)`, `io_uring`,
//! `fork(2)` and the system calls of 32-bit programs have no safe wrapper among the dependencies. Every function here
//! is safe to call.
#![expect(unsafe_code, reason = "raw system calls without a safe wrapper")]

pub mod bpf;
pub mod cgroup;
pub mod compat;
pub mod net;
pub mod process;
mod signals;
pub mod tap;
pub mod uring;

pub use signals::{ignore, usual_signals};
