//! Debug lines of the kernel half (`-vv`), through aya-log.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aya::programs::{ProgramError, RawTracePoint};
use aya::{Ebpf, EbpfError, EbpfLoader};
use aya_log::EbpfLogger;
use log::{Log, Metadata, Record};
use portbind_abi::layout::Layout;
use tokio::io::unix::AsyncFd;
use zerocopy::IntoBytes as _;

use super::error::{AttachError, reason_chain, reason_with_log};
use super::object::Packed;
use crate::sys::poll;

/// The program that writes debug lines, and its hook.
const PROGRAM: &str = "debug_sys_exit";
const TRACEPOINT: &str = "sys_exit";
/// Debug lines for standard error; dropping this ends them.
#[expect(missing_debug_implementations, reason = "aya's logger does not implement Debug")]
pub struct DebugLines {
    lines: AsyncFd<EbpfLogger<Collected>>,
    collected: Collected,
    /// Keeps the program loaded.
    _ebpf: Ebpf,
}

impl DebugLines {
    /// The next lines, at most as many as the logger's ring buffer holds. Never returns if debug lines are not wanted.
    pub async fn next(wanted: &mut Option<Self>) -> Vec<String> {
        let Some(Self { lines, collected, .. }) = wanted else { return pending().await };
        let Ok(mut ready) = lines.readable_mut().await else { return pending().await };
        ready.get_inner_mut().flush();
        ready.clear_ready();
        std::mem::take(&mut *collected.lines())
    }
}

/// Lines read and not taken yet.
#[derive(Clone, Debug, Default)]
struct Collected(Arc<Mutex<Vec<String>>>);

impl Collected {
    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Collected {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.lines().push(format!("kernel: {}", record.args()));
    }

    fn flush(&self) {}
}

/// Loads and attaches the program that writes debug lines. It uses aya and its own maps, because aya's logger reads
/// only those.
pub(super) fn attach(object: Packed, layout: &Layout) -> Result<DebugLines, AttachError> {
    let refused = |reason| AttachError::Load { program: PROGRAM, reason };
    let object = object.unpack().map_err(|error| refused(error.to_string()))?;
    let loaded = EbpfLoader::new().override_global("LAYOUT", layout.as_bytes(), true).load(object.bytes());
    let mut ebpf = loaded.map_err(|error: EbpfError| refused(reason_chain(&error)))?;
    let collected = Collected::default();
    let lines = EbpfLogger::init_with_logger(&mut ebpf, collected.clone());
    let lines = lines.map_err(|error| refused(error.to_string()))?;
    let lines = poll::watch(lines).map_err(|error| refused(error.to_string()))?;
    let program =
        ebpf.program_mut(PROGRAM).ok_or_else(|| refused("the embedded object lacks it".to_owned()))?;
    let attached = <&mut RawTracePoint>::try_from(program).and_then(|program| {
        program.load()?;
        program.attach(TRACEPOINT)
    });
    attached.map_err(|error: ProgramError| refused(reason(&error)))?;
    Ok(DebugLines { lines, collected, _ebpf: ebpf })
}

/// The kernel's error, with only the deciding line of the verifier's log.
fn reason(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            reason_with_log(io_error, &verifier_log.to_string())
        }
        error => reason_chain(error),
    }
}
