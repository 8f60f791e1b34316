//! Secrets in arguments are not written, unless the user requests it.

use std::path::Path;

use anyhow::ensure;
use rustix::process::Signal;

use super::run::{Recording, wrapped};
use super::setting::Setting;
use super::support::{ContestedPort, exited};
use crate::actor::{Action, Protocol};
use crate::scratch::Scratch;
use crate::tracer::Tracer;

/// A secret, used everywhere in [`WORDS`].
const SECRET: &str = "hunter2hunter2";
/// Arguments of callers and owners.
const WORDS: [&str; 6] = [
    "--password",
    "hunter2hunter2",
    "--api-token=hunter2hunter2",
    "-eDB_PASSWORD=hunter2hunter2",
    "postgres://me:hunter2hunter2@db/x",
    "Authorization: Bearer hunter2hunter2",
];

/// A trace shows no secret in any format or file; `--show-secrets` shows it in JSON.
pub(super) fn in_traces(setting: Setting<'_>) -> anyhow::Result<()> {
    for (options, is_shown) in [
        (&["-o", "text", "--history"][..], false),
        (&["-o", "brief"], false),
        (&["-o", "json"], false),
        (&["-o", "json", "--show-secrets"], true),
    ] {
        let mut contested = ContestedPort::new(Protocol::Tcp)?;
        for actor in ["secretive heir", "secretive binder"] {
            contested.actors.cast(actor, Path::new("/proc/self/exe"), &WORDS, &[])?;
        }
        let to = "secretive heir".to_owned();
        let give = Action::Give { socket: "old".to_owned(), to, mailbox: String::new() };
        contested.actors.perform("holder", &give)?;
        contested.actors.perform("secretive heir", &Action::Take { new: "old".to_owned() })?;
        let port = contested.port.to_string();
        let file = Scratch::new("secrets.out");
        let output = format!("--output={}", file.path().display());
        let options: Vec<&str> = options.iter().copied().chain(["-P", &port, &output]).collect();
        let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
        contested.refuse("secretive binder", 1)?;
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        let written = std::fs::read_to_string(file.path())?;
        ensure!(!written.is_empty(), "{options:?}: nothing was written");
        ensure!(written.contains(SECRET) == is_shown, "{options:?}:\n{written}");
        ensure!(!ended.stderr.join("\n").contains(SECRET), "{options:?}: {:?}", ended.stderr);
        let is_said = written.contains("\"args_masked\":true");
        ensure!(is_said == (options.contains(&"json") && !is_shown), "{options:?}:\n{written}");
    }
    Ok(())
}

/// Secrets are neither in the recording of a command, nor on its page, nor in the formats of CI systems.
pub(super) fn in_runs(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.actors.cast("secretive heir", Path::new("/proc/self/exe"), &WORDS, &[])?;
    let to = "secretive heir".to_owned();
    let give = Action::Give { socket: "old".to_owned(), to, mailbox: String::new() };
    contested.actors.perform("holder", &give)?;
    contested.actors.perform("secretive heir", &Action::Take { new: "old".to_owned() })?;
    for ci in ["none", "github", "gitlab", "azure", "buildkite", "jenkins"] {
        let (recording, page) = (Recording::new("secrets"), Scratch::new("secrets.html"));
        let (record, report) = (recording.option(), format!("--report={}", page.path().display()));
        let subject = ["refused".to_owned(), contested.port.to_string(), "0".to_owned()];
        let mut command = wrapped(setting, &[&record, &report, "--ci", ci, "-v"], subject)?;
        let ended = Tracer::spawn(&mut command)?.end()?;
        exited(&ended, 0)?;
        ensure!(recording.lines("refusal")?.len() == 1, "{ci}: no refusal is recorded");
        let written = [
            std::fs::read_to_string(recording.path())?,
            std::fs::read_to_string(page.path())?,
            ended.stderr.join("\n"),
        ];
        ensure!(written[0].contains("\"args_masked\":true"), "{ci}:\n{}", written[0]);
        for text in written {
            ensure!(!text.contains(SECRET), "{ci}:\n{text}");
        }
    }
    Ok(())
}
