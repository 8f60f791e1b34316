//! The only reads of kernel and user memory, and the only `unsafe` of the kernel half.

#![expect(unsafe_code, reason = "the one home of raw reads, helpers and ring memory")]

mod iterator;
mod memory;
mod ring;
mod values;

use core::ptr;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated;
use portbind_ebpf::abi::{COMM_LEN, Filter};
use portbind_ebpf::layout::Layout;

#[cfg(feature = "bounded")]
pub(crate) use iterator::FileContext;
#[cfg(not(feature = "bounded"))]
pub(crate) use iterator::TaskContext;
pub(crate) use memory::{Block, Memory, Plain, Ptr, Room, copy, copy_path_name, read_sockaddr, room};
pub(crate) use ring::{Slot, send, waiting_bytes};
pub(crate) use values::{Blank, InPlace, InPlaceOrNew};

/// Where the running kernel keeps things; the loader fills it in.
// SAFETY: no other symbol of this name exists; the loader finds it by name.
#[unsafe(no_mangle)]
pub(crate) static LAYOUT: Layout = Layout::EMPTY;

/// What is to be reported; the loader fills it in.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub(crate) static FILTER: Filter = Filter::ANY;

/// Reads one field of a read-only global that the loader has filled in.
#[inline(always)]
pub(crate) fn global<T: Copy>(field: &'static T) -> T {
    // SAFETY: `field` is a reference, so it is valid and aligned; volatile keeps the compiler from
    // believing the value in this object, which the loader replaces.
    unsafe { ptr::read_volatile(field) }
}

/// The answer of the running kernel to one row of the layout.
macro_rules! at {
    ($field:ident) => {
        $crate::kernel::global(&$crate::kernel::LAYOUT.$field)
    };
}
pub(crate) use at;

/// A function of numbers that the verifier goes through once by itself, whatever calls it: BPF calls it global
/// (btf_prepare_func_args, kernel/bpf/btf.c). Where loops are no functions, it becomes a part of what calls it: verifiers of
/// 5.10 are lost in such functions.
macro_rules! verified_once {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident),*) $body:block) => {
        $(#[$doc])*
        #[cfg_attr(feature = "bounded", inline(always))]
        #[cfg_attr(not(feature = "bounded"), inline(never))]
        #[cfg_attr(
            not(feature = "bounded"),
            expect(unsafe_code, reason = "a function is global if its name is known outside")
        )]
        // SAFETY: no other symbol of this name exists.
        #[cfg_attr(not(feature = "bounded"), unsafe(no_mangle))]
        extern "C" fn $name($($argument: u64),*) -> u64 $body
    };
}
pub(crate) use verified_once;

/// A value that the compiler cannot reason about, so that it makes no branches of it. In a register:
/// `black_box` would leave a pointer into the stack behind, which a function must not return.
#[inline(always)]
pub(crate) fn opaque(mut value: u64) -> u64 {
    // SAFETY: a register is copied onto itself.
    unsafe {
        core::arch::asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags))
    };
    value
}

/// Reads one field of a record from memory, whatever was written there before: the verifier does not
/// follow what is stored in a record, and would follow it in a register through every step of a search.
#[inline(always)]
pub(crate) fn get<T: Copy>(field: &T) -> T {
    // SAFETY: `field` is a live reference.
    unsafe { ptr::read_volatile(field) }
}

/// Writes one field to memory by itself; see [`get`]. A row of plain zeros would become a call of memset.
#[inline(always)]
pub(crate) fn set<T>(field: &mut T, value: T) {
    // SAFETY: `field` is a live reference.
    unsafe { ptr::write_volatile(field, value) };
}

/// Adds one to a field in memory; returns the sum.
#[inline(always)]
pub(crate) fn increment(field: &mut u32) -> u32 {
    set(field, get(field).wrapping_add(1));
    get(field)
}

/// What is done over and over, up to a limit.
pub(crate) trait Step {
    /// Does it once; `false` if there is nothing more to do.
    fn step(&mut self) -> bool;
}

/// Takes up to `limit` steps.
#[cfg(not(feature = "bounded"))]
#[inline(always)]
pub(crate) fn repeat<S: Step>(limit: u32, state: &mut S) {
    unsafe extern "C" fn once<S: Step>(_index: u64, state: *mut core::ffi::c_void) -> i64 {
        // SAFETY: the helper hands on what it was given below.
        i64::from(!unsafe { &mut *state.cast::<S>() }.step())
    }
    let state: *mut S = state;
    // SAFETY: the state outlives the call, and only the function that fits it gets it.
    unsafe { generated::bpf_loop(limit, once::<S> as *mut core::ffi::c_void, state.cast(), 0) };
}

/// What is done for each number below a limit. To count in the state would be a new state for the verifier each time.
#[cfg(not(feature = "bounded"))]
pub(crate) trait Each {
    /// Does it for one.
    fn each(&mut self, number: u32);
}

/// Counts up to `limit`.
#[cfg(not(feature = "bounded"))]
#[inline(always)]
pub(crate) fn count_up<E: Each>(limit: u32, state: &mut E) {
    unsafe extern "C" fn once<E: Each>(index: u64, state: *mut core::ffi::c_void) -> i64 {
        // SAFETY: the helper hands on what it was given below.
        unsafe { &mut *state.cast::<E>() }.each(index as u32);
        0
    }
    let state: *mut E = state;
    // SAFETY: the state outlives the call, and only the function that fits it gets it.
    unsafe { generated::bpf_loop(limit, once::<E> as *mut core::ffi::c_void, state.cast(), 0) };
}

/// Takes up to `limit` steps.
#[cfg(feature = "bounded")]
#[inline(always)]
pub(crate) fn repeat<S: Step>(limit: u32, state: &mut S) {
    let mut steps = 0;
    while steps < limit && state.step() {
        steps += 1;
    }
}

/// The current task's `struct task_struct`.
#[inline(always)]
pub(crate) fn current_task() -> Ptr {
    // SAFETY: the helper has no arguments.
    Ptr(unsafe { generated::bpf_get_current_task() })
}

/// Thread group id (upper half) and thread id (lower half) of the current task.
#[inline(always)]
pub(crate) fn current_ids() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_pid_tgid() }
}

/// Thread group id of the current task.
#[inline(always)]
pub(crate) fn current_pid() -> u32 {
    (current_ids() >> 32) as u32
}

/// Group id (upper half) and user id (lower half) of the current task.
#[inline(always)]
pub(crate) fn current_owner() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_uid_gid() }
}

/// Copies the name of the current task into a record.
#[inline(always)]
pub(crate) fn copy_current_comm(to: &mut [u8; COMM_LEN]) {
    // SAFETY: the destination has the size passed, and the helper writes all of it.
    unsafe { generated::bpf_get_current_comm(to.as_mut_ptr().cast(), COMM_LEN as u32) };
}

/// Id of the current task's cgroup.
#[inline(always)]
pub(crate) fn current_cgroup() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_get_current_cgroup_id() }
}

/// Id of the ancestor of the current task's cgroup at a level, 0 if it has none there.
#[inline(always)]
pub(crate) fn current_ancestor_cgroup(level: u32) -> u64 {
    // SAFETY: the helper takes any number.
    unsafe { generated::bpf_get_current_ancestor_cgroup_id(level as i32) }
}

/// Nanoseconds since boot, suspended time included.
#[inline(always)]
pub(crate) fn boot_time() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_ktime_get_boot_ns() }
}

/// The kernel's tick counter.
#[inline(always)]
pub(crate) fn jiffies() -> u64 {
    // SAFETY: the helper has no arguments.
    unsafe { generated::bpf_jiffies64() }
}

/// An argument of a typed tracepoint or of a function, loaded each time: what a comparison has told the verifier of it is
/// forgotten then.
#[inline(always)]
pub(crate) fn argument(context: &impl EbpfContext, index: usize) -> u64 {
    // SAFETY: the kernel lets only a program load that asks for arguments that there are.
    unsafe { context.as_ptr().cast::<u64>().add(index).read_volatile() }
}

/// The registers of a system call's caller, of a type that the verifier knows: each is loaded, where a helper would
/// take twenty times as long.
pub(crate) struct Registers(*const u8);

impl Registers {
    /// The first argument of `TP_PROTO(struct pt_regs *regs, long ret)`.
    #[inline(always)]
    pub(crate) fn of_argument(context: &aya_ebpf::programs::BtfTracePointContext) -> Self {
        Self(context.arg(0))
    }

    /// Those with which the current task came into the kernel (both helpers: from 5.15 on).
    #[cfg(not(feature = "bounded"))]
    #[inline(always)]
    pub(crate) fn of_current_task() -> Self {
        // SAFETY: the helper has no arguments; the other takes what it returns.
        Self(unsafe { generated::bpf_task_pt_regs(generated::bpf_get_current_task_btf().cast()) } as *const u8)
    }

    /// The register at this offset of `struct pt_regs`.
    #[inline(always)]
    pub(crate) fn at(&self, offset: usize) -> u64 {
        // SAFETY: the kernel lets only a program load that stays within the structure, and hands a valid one.
        unsafe { self.0.add(offset).cast::<u64>().read_volatile() }
    }
}

/// Adds one to a counter of this CPU.
#[inline(always)]
pub(crate) fn count(index: u32) {
    portbind_count(u64::from(index));
}

verified_once! {
/// [`count`]. Returns whether there is such a counter.
fn portbind_count(index) {
    let Some(value) = crate::maps::COUNTERS.get_ptr_mut(index as u32) else { return 0 };
    // SAFETY: the map returned a valid pointer to this CPU's value.
    add_one(unsafe { &mut *value });
    1
}
}

/// Adds one to a value in a map, at once: a program can be preempted by another task's on the same CPU.
#[inline(always)]
pub(crate) fn add_one(value: &mut u64) {
    add(value, 1);
}

/// Adds to a value in a map, at once; see [`add_one`].
#[inline(always)]
pub(crate) fn add(value: &mut u64, more: u64) {
    // SAFETY: the reference is live.
    unsafe {
        core::arch::asm!("lock *(u64 *)({to} + 0) += {more}", to = in(reg) ptr::from_mut(value), more = in(reg) more)
    };
}

/// The word of the set of wanted ports that holds `port`.
#[inline(always)]
pub(crate) fn wanted_ports(port: u16) -> u64 {
    // SAFETY: the value is only read, and only user space writes it, before the programs run.
    crate::maps::PORTS.get(u32::from(port >> 6)).copied().unwrap_or(0)
}

/// A map keyed by task.
pub(crate) trait ByTask<V> {
    /// A copy of the value of a task.
    fn of_task(&self, task: u64) -> Option<V>;
}

impl<V: Copy> ByTask<V> for aya_ebpf::maps::HashMap<u64, V> {
    #[inline(always)]
    fn of_task(&self, task: u64) -> Option<V> {
        // SAFETY: a key is written and deleted by its own task only, so nobody changes the value meanwhile.
        unsafe { self.get(&task) }.copied()
    }
}
