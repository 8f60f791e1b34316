//! Names that other programs chose may not become commands of a terminal or a CI system.

use anyhow::ensure;
use rustix::process::Signal;

use super::Setting;
use super::support::{Quarrel, exited};
use crate::actor::Protocol;
use crate::tracer::Tracer;

/// Names a process can give itself.
const NAMES: [&str; 5] = ["\x1b[31mred", "a\nb\r\nc", "::error::x", "\n::error::y", "\u{202e}\u{7f}\t"];

/// No output carries a raw control character, nor a line that begins with `::`.
pub(super) fn hostile(setting: Setting<'_>) -> anyhow::Result<()> {
    for format in ["text", "brief", "json"] {
        let mut quarrel = Quarrel::new(Protocol::Tcp)?;
        quarrel.rename("holder", NAMES[0])?;
        let port = quarrel.port.to_string();
        let options = ["-o", format, "-P", &port, "--color", "never"];
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        for name in NAMES {
            quarrel.rename(name, name)?;
            quarrel.refuse(name, 1)?;
        }
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        ensure!(ended.stdout.len() >= NAMES.len(), "{format}: too little was told");
        for line in ended.stdout.iter().chain(&ended.stderr) {
            let raw = line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            ensure!(!raw, "{format}: a raw control character: {line:?}");
            ensure!(!line.trim_start().starts_with("::"), "{format}: a command for a CI system: {line:?}");
            ensure!(format == "json" || !line.contains("::error::"), "{format}: a command within: {line:?}");
        }
    }
    Ok(())
}
