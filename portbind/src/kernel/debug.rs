//! Debug lines of the kernel half (`-vv`), through aya-log.

use aya::Ebpf;
use aya::programs::RawTracePoint;
use aya_log::EbpfLogger;
use log::{Log, Metadata, Record};

use super::attach::{AttachError, attach_error, load_error, typed};

/// The program that writes them, and what it is attached to.
const PROGRAM: &str = "debug_sys_exit";
const TRACEPOINT: &str = "sys_exit";
/// The map that carries them.
pub(super) const MAP: &str = "AYA_LOGS";

/// Debug lines on their way to standard error.
pub type DebugLines = EbpfLogger<StandardError>;

/// Writes each line to standard error as it comes.
#[derive(Debug)]
pub struct StandardError;

impl Log for StandardError {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        anstream::eprintln!("portbind: kernel: {}", record.args());
    }

    fn flush(&self) {}
}

/// Loads and attaches the program that writes debug lines.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<DebugLines, AttachError> {
    let lines = EbpfLogger::init_with_logger(ebpf, StandardError)
        .map_err(|error| AttachError::Load { program: PROGRAM, reason: error.to_string() })?;
    let program: &mut RawTracePoint = typed(ebpf, PROGRAM)?;
    program.load().map_err(|error| load_error(PROGRAM, &error))?;
    program.attach(TRACEPOINT).map_err(|error| attach_error(PROGRAM, TRACEPOINT, &error))?;
    Ok(lines)
}
