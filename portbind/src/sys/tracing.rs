//! Loads programs, and attaches them.
//!
//! A kernel function is identified by the id of its type. aya finds the id in a parsed description of all types up to
//! that one, 70 bytes for each of more than 100,000 types; here, the user of this module passes the id.

#![expect(unsafe_code, reason = "the system calls take addresses")]

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use aya_obj::generated::bpf_attach_type::BPF_TRACE_KPROBE_MULTI;
use aya_obj::generated::bpf_cmd::{BPF_LINK_CREATE, BPF_PROG_LOAD, BPF_RAW_TRACEPOINT_OPEN};
use aya_obj::generated::bpf_prog_type::{
    BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACING,
};
use aya_obj::generated::{
    BPF_ALU64, BPF_EXIT, BPF_JMP, BPF_K, BPF_MOV, PERF_EVENT_IOC_SET_BPF, PERF_FLAG_FD_CLOEXEC,
    bpf_attach_type, bpf_func_info, bpf_insn, perf_event_attr,
};

use super::bpf::{empty, length, open};

/// `BPF_LOG_STATS` in `include/linux/bpf_verifier.h`: errors and the closing statistics.
const LOG_STATS: u32 = 4;
/// The sysfs folder that describes kprobe events.
const KPROBE_EVENTS: &str = "/sys/bus/event_source/devices/kprobe";

/// The place that a program is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A type in the kernel's BTF, by its id: with `BPF_TRACE_FENTRY`, `BPF_TRACE_FEXIT` and `BPF_TRACE_ITER` a
    /// function, with `BPF_TRACE_RAW_TP` the typedef `btf_trace_*` of a tracepoint.
    Typed(bpf_attach_type, u32),
    /// Entry or return of any function, by an event of its own.
    Kprobe,
    /// Entry or return of any function, by the function graph tracer.
    KprobeMulti,
    /// Any tracepoint.
    RawTracepoint,
}

/// A relocated program.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// Name of the program; the kernel keeps the first 15 bytes.
    pub name: &'static str,
    /// Licence of the program.
    pub license: &'a CStr,
    /// The place that the program is made for.
    pub place: Place,
    /// Instructions of the program.
    pub instructions: Vec<bpf_insn>,
    /// The types of the program's object in the kernel, and the types of its functions: without them, no function can
    /// be passed to a helper.
    pub functions: Option<(BorrowedFd<'a>, &'a [bpf_func_info])>,
}

impl Program<'_> {
    /// A program that does nothing: to test whether the kernel accepts programs at this place.
    #[must_use]
    pub fn shortest(name: &'static str, place: Place) -> Self {
        let instruction = |code: u32| {
            let [code, ..] = code.to_le_bytes();
            let registers = bpf_insn::new_bitfield_1(0, 0);
            bpf_insn { code, _bitfield_align_1: [], _bitfield_1: registers, off: 0, imm: 0 }
        };
        let instructions = vec![instruction(BPF_ALU64 | BPF_MOV | BPF_K), instruction(BPF_JMP | BPF_EXIT)];
        Self { name, license: c"Dual MIT/GPL", place, instructions, functions: None }
    }
}

/// Loads a program. If the verifier refuses the program, `log` holds the reason, up to the first NUL.
///
/// # Errors
/// The kernel's error.
pub fn load(program: &Program<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attr = empty();
    // SAFETY: every member of the union is made of integers, and all of its bytes are zero.
    let load = unsafe { &mut attr.__bindgen_anon_3 };
    load.prog_type = match program.place {
        Place::Typed(..) => BPF_PROG_TYPE_TRACING,
        Place::Kprobe | Place::KprobeMulti => BPF_PROG_TYPE_KPROBE,
        Place::RawTracepoint => BPF_PROG_TYPE_RAW_TRACEPOINT,
    } as u32;
    if let Place::Typed(attach_type, id) = program.place {
        load.expected_attach_type = attach_type as u32;
        load.attach_btf_id = id;
    }
    if program.place == Place::KprobeMulti {
        load.expected_attach_type = BPF_TRACE_KPROBE_MULTI as u32;
    }
    load.insns = program.instructions.as_ptr() as u64;
    load.insn_cnt = length(program.instructions.len())?;
    load.license = program.license.as_ptr() as u64;
    if let Some((types, functions)) = program.functions {
        load.prog_btf_fd = types.as_raw_fd().cast_unsigned();
        load.func_info = functions.as_ptr() as u64;
        load.func_info_cnt = length(functions.len())?;
        load.func_info_rec_size = length(size_of::<bpf_func_info>())?;
    }
    let end = load.prog_name.len() - 1;
    for (to, from) in load.prog_name.iter_mut().take(end).zip(program.name.bytes()) {
        *to = from.cast_signed();
    }
    if !log.is_empty() {
        load.log_level = LOG_STATS;
        load.log_buf = log.as_mut_ptr() as u64;
        load.log_size = length(log.len())?;
    }
    open(BPF_PROG_LOAD, &mut attr)
}

/// Attaches a program to a tracepoint, or to the place it was loaded for, until the returned descriptor is closed.
///
/// # Errors
/// The kernel's error.
pub fn attach(program: BorrowedFd<'_>, tracepoint: Option<&CStr>) -> io::Result<OwnedFd> {
    let mut attr = empty();
    attr.raw_tracepoint.name = tracepoint.map_or(0, |name| name.as_ptr() as u64);
    attr.raw_tracepoint.prog_fd = program.as_raw_fd().cast_unsigned();
    open(BPF_RAW_TRACEPOINT_OPEN, &mut attr)
}

/// The moment when a probe runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At the entry of the function.
    Entry,
    /// At the return of the function.
    Return,
}

/// Attaches a program that was loaded for [`Place::KprobeMulti`] to a function, until the returned descriptor is
/// closed.
///
/// # Errors
/// The kernel's error.
pub fn attach_multi(program: BorrowedFd<'_>, function: &CStr, when: When) -> io::Result<OwnedFd> {
    // BPF_F_KPROBE_MULTI_RETURN in include/uapi/linux/bpf.h.
    const OF_RETURN: u32 = 1;
    let functions = [function.as_ptr()];
    let mut attr = empty();
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = BPF_TRACE_KPROBE_MULTI as u32;
    // SAFETY: every member of the union is made of integers, and all of its bytes are zero.
    let probe = unsafe { &mut attr.link_create.__bindgen_anon_3.kprobe_multi };
    probe.flags = if when == When::Return { OF_RETURN } else { 0 };
    probe.cnt = length(functions.len())?;
    probe.syms = functions.as_ptr() as u64;
    open(BPF_LINK_CREATE, &mut attr)
}

/// The kprobe events of this kernel.
#[derive(Clone, Copy, Debug)]
pub struct Kprobes {
    /// The number of their event type.
    kind: u32,
    /// The bit in their configuration that selects the return of a function.
    of_return: u64,
}

impl Kprobes {
    /// Reads the description of kprobe events in sysfs.
    ///
    /// # Errors
    /// If sysfs does not describe them.
    pub fn read() -> io::Result<Self> {
        let of_return = 1_u64.checked_shl(described("format/retprobe")?).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { kind: described("type")?, of_return })
    }

    /// Attaches a program to a function, until the returned descriptor is closed.
    ///
    /// # Errors
    /// The kernel's error.
    pub fn attach(self, program: BorrowedFd<'_>, function: &CStr, when: When) -> io::Result<OwnedFd> {
        // SAFETY: every field of the structure is an integer.
        let mut attr: perf_event_attr = unsafe { std::mem::zeroed() };
        attr.type_ = self.kind;
        attr.size = length(size_of::<perf_event_attr>())?;
        attr.config = if when == When::Return { self.of_return } else { 0 };
        attr.__bindgen_anon_3.config1 = function.as_ptr() as u64;
        let attr: *const perf_event_attr = &raw const attr;
        let (any_process, some_processor, no_group) = (-1, 0, -1);
        // SAFETY: the size matches the attributes, and the name that they point to is borrowed for longer than the
        // call, which writes to neither.
        let event = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                attr,
                any_process,
                some_processor,
                no_group,
                PERF_FLAG_FD_CLOEXEC,
            )
        };
        let event = i32::try_from(event).map_err(io::Error::other)?;
        if event < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and has no other owner.
        let event = unsafe { OwnedFd::from_raw_fd(event) };
        // Not a link (BPF_LINK_CREATE), which needs 5.15. SAFETY: the argument is a number, and both descriptors are
        // borrowed for longer than the call.
        let set = unsafe {
            libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_SET_BPF as libc::Ioctl, program.as_raw_fd())
        };
        if set < 0 { Err(io::Error::last_os_error()) } else { Ok(event) }
    }
}

/// A number from sysfs that describes kprobe events.
fn described(what: &str) -> io::Result<u32> {
    let path = format!("{KPROBE_EVENTS}/{what}");
    let read = fs::read_to_string(&path).and_then(|text| number(&text));
    read.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

/// The number at the end of a text such as `config:0` or `8`.
fn number(text: &str) -> io::Result<u32> {
    let digits = text.trim().rsplit(':').next().unwrap_or_default();
    digits.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_sysfs() {
        assert_eq!(number("config:0\n").unwrap(), 0);
        assert_eq!(number("8\n").unwrap(), 8);
        assert!(number("config:0-7\n").is_err());
        assert!(number("").is_err());
    }
}
