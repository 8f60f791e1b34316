//! The fuzzer: libFuzzer around one target, which the environment names.
#![no_main]

use portbind_fuzz::{TARGET_VARIABLE, Target, chosen};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    thread_local! {
        static CHOSEN: Option<&'static Target> = chosen();
    }
    let target = CHOSEN.with(|chosen| *chosen);
    assert!(target.is_some(), "{TARGET_VARIABLE} names no target");
    if let Some(target) = target {
        (target.run)(data);
    }
});
