//! The records that the kernel half writes and the user half reads.
//!
//! The programs themselves are in this crate's binary, which is built for the BPF target only.
#![no_std]

pub mod abi;
pub mod layout;
