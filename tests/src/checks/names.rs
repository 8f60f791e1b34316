//! Names chosen by other programs must not become commands of a terminal or a CI system.

use anyhow::ensure;
use rustix::process::Signal;

use super::setting::Setting;
use super::support::{ContestedPort, exited};
use crate::actor::{Action, Protocol};
use crate::scratch::Scratch;
use crate::tracer::{Ended, Tracer};

/// Names that a process can give itself.
const NAMES: [&str; 5] = ["\x1b[31mred", "a\nb\r\nc", "::error::x", "\n::error::y", "\u{202e}\u{7f}\t"];

/// No output contains a raw control character, or a line that begins with `::`.
pub(super) fn hostile(setting: Setting<'_>) -> anyhow::Result<()> {
    for format in ["text", "brief", "json"] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        contested.rename("holder", NAMES[0])?;
        let port = contested.port.to_string();
        let options = ["-o", format, "-P", &port, "--color", "never"];
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        for name in NAMES {
            contested.rename(name, name)?;
            contested.refuse(name, 1)?;
        }
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        ensure!(ended.stdout.len() >= NAMES.len(), "{format}: too little was shown");
        harmless(format, &ended)?;
    }
    Ok(())
}

/// The same for arguments and for the path of the executable, of callers and owners.
pub(super) fn hostile_arguments(setting: Setting<'_>) -> anyhow::Result<()> {
    let program = Scratch::new(&NAMES.concat());
    std::fs::copy("/proc/self/exe", program.path())?;
    for format in ["text", "brief", "json"] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        for actor in ["heir", "binder"] {
            contested.actors.cast(actor, program.path(), &NAMES, &[])?;
        }
        let give = Action::Give { socket: "old".to_owned(), to: "heir".to_owned(), mailbox: String::new() };
        contested.actors.perform("holder", &give)?;
        contested.actors.perform("heir", &Action::Take { new: "old".to_owned() })?;
        let port = contested.port.to_string();
        let options = ["-o", format, "-P", &port, "--color", "never"];
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        contested.refuse("binder", 1)?;
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        harmless(format, &ended)?;
        let shown = ended.stdout.iter().filter(|line| line.contains("error")).count();
        ensure!(
            format != "json" || shown > 0,
            "arguments and paths are not shown:\n{}",
            ended.stdout.join("\n")
        );
    }
    Ok(())
}

/// Words of the command line and file names in an error message: quoted, on one line, harmless.
pub(super) fn wrong_words(setting: Setting<'_>) -> anyhow::Result<()> {
    let words =
        ["\x1b[31mred", "a\n::error::x", "x\r::error::y", "\u{202e}\u{7f}", "##vso[x]", "it's\n  tip: y"];
    for word in words {
        let file = format!("/no-such-folder/{word}");
        let rows: [(&[&str], i32); 9] = [
            (&[word], 2),
            (&["trace", "-P", word], 2),
            (&["trace", "--comm", word, "-o", word], 2),
            (&["trace", &format!("--{word}")], 2),
            (&["report", &file], 2),
            (&["explain", &file], 2),
            (&["compare", &file, "--", &file], 2),
            (&["trace", "--output", &file], 2),
            (&["run", "--record", &file, "--", "true"], 125),
        ];
        for (words, code) in rows {
            let ended = Tracer::spawn(std::process::Command::new(setting.portbind).args(words))?.end()?;
            let failed = ended.status.code();
            // Another check covers how `run` fails if it cannot record.
            ensure!(failed == Some(code) || words[0] == "run", "{words:?}: {failed:?}");
            ensure!(!ended.stderr.is_empty(), "{words:?}: nothing is said");
            harmless("text", &ended)?;
            ensure!(!ended.stderr.join("\n").contains("##"), "{words:?}: {:?}", ended.stderr);
        }
    }
    Ok(())
}

/// Fails if a line has an effect on a terminal or a CI system.
fn harmless(format: &str, ended: &Ended) -> anyhow::Result<()> {
    for line in ended.stdout.iter().chain(&ended.stderr) {
        let raw = line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        ensure!(!raw, "{format}: a raw control character: {line:?}");
        ensure!(!line.trim_start().starts_with("::"), "{format}: a command for a CI system: {line:?}");
        ensure!(format != "brief" || !line.contains("::error::"), "{format}: a command within: {line:?}");
    }
    Ok(())
}
