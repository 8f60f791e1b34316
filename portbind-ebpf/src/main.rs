//! The programs that run in the kernel: they collect evidence inside the refused call.
//!
//! `hooks` has the entry points, one file per backend; all access to the kernel goes through `kernel`.
#![no_std]
#![no_main]
// For the atomic addition of BPF: core offers none on a target without compare-and-swap.
#![feature(asm_experimental_arch)]

mod caller;
mod descendants;
mod filter;
mod history;
mod holders;
mod hooks;
mod kernel;
mod little_room;
mod maps;
mod open_files;
mod party;
mod portless;
mod record;
mod refusal;
mod scratch;
mod sock;
mod storm;
mod window;

#[expect(unsafe_code, reason = "the kernel reads the licence from a symbol of this name")]
// SAFETY: no other symbol of this name exists; the kernel only reads it.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
