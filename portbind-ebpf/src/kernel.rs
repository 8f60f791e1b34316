//! All reads of kernel and user memory, and all `unsafe` of the kernel half. This file has loops, and functions that
//! the verifier goes through only once.

#![expect(unsafe_code, reason = "the one home of raw reads, helpers and ring memory")]

#[cfg(not(feature = "bounded"))]
use aya_ebpf::helpers::generated;

/// A function that takes numbers and that the verifier goes through only once, whatever calls it: BPF calls such a
/// function global (btf_prepare_func_args, kernel/bpf/btf.c). Without bpf_loop (before 5.17) it is inlined into its
/// callers: verifiers of 5.10 fail on such functions.
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

pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod counters;
pub(crate) mod globals;
pub(crate) mod iterator;
pub(crate) mod memory;
pub(crate) mod ports;
pub(crate) mod ring;
pub(crate) mod task;
pub(crate) mod values;
pub(crate) mod volatile;

/// A step that is repeated up to a limit.
pub(crate) trait Step {
    /// Takes one step; `false` if there is nothing left to do.
    fn step(&mut self) -> bool;
}

/// Takes at most `limit` steps.
#[cfg(not(feature = "bounded"))]
#[inline(always)]
pub(crate) fn repeat<S: Step>(limit: u32, state: &mut S) {
    unsafe extern "C" fn once<S: Step>(_index: u64, state: *mut core::ffi::c_void) -> i64 {
        // SAFETY: the helper passes on the state pointer that it is given below.
        i64::from(!unsafe { &mut *state.cast::<S>() }.step())
    }
    let state: *mut S = state;
    // SAFETY: the state outlives the call, and only the function of the matching type receives the state.
    unsafe { generated::bpf_loop(limit, once::<S> as *mut core::ffi::c_void, state.cast(), 0) };
}

/// A step that is taken for each number below a limit. A count in the state would be a new verifier state each time.
#[cfg(not(feature = "bounded"))]
pub(crate) trait Each {
    /// Takes the step for one number.
    fn each(&mut self, number: u32);
}

/// Counts up to `limit`.
#[cfg(not(feature = "bounded"))]
#[inline(always)]
pub(crate) fn count_up<E: Each>(limit: u32, state: &mut E) {
    unsafe extern "C" fn once<E: Each>(index: u64, state: *mut core::ffi::c_void) -> i64 {
        // SAFETY: the helper passes on the state pointer that it is given below.
        unsafe { &mut *state.cast::<E>() }.each(index as u32);
        0
    }
    let state: *mut E = state;
    // SAFETY: the state outlives the call, and only the function of the matching type receives the state.
    unsafe { generated::bpf_loop(limit, once::<E> as *mut core::ffi::c_void, state.cast(), 0) };
}

/// Takes at most `limit` steps.
#[cfg(feature = "bounded")]
#[inline(always)]
pub(crate) fn repeat<S: Step>(limit: u32, state: &mut S) {
    let mut steps = 0;
    while steps < limit && state.step() {
        steps += 1;
    }
}
