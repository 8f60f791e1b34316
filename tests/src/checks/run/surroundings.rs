//! Machines that lack something portbind needs.

use std::process::{Output, Stdio};

use anyhow::{bail, ensure};

use crate::checks::setting::Setting;
use crate::programs::{self, SETPRIV, SH};
use crate::scratch::Scratch;

/// The verbs that read processes.
const LOOKING: [&str; 7] = [
    "trace --timeout 0.1",
    "run -- /usr/bin/true",
    "run --optional --record /dev/null -- /usr/bin/env -u PATH sh -c 'exit 9'",
    "who 8000",
    "check 8000",
    "free --dry-run 8000",
    "doctor",
];

/// Without `/proc` the error reports this, and mentions no capability; with `--optional` the command still runs.
pub(in crate::checks) fn no_proc(setting: Setting<'_>) -> anyhow::Result<()> {
    let portbind = std::fs::canonicalize(setting.portbind)?;
    for verb in LOOKING {
        let script = format!("umount -l /proc || exit 90; exec \"$0\" {verb}");
        let mut command = programs::UNSHARE.command()?;
        command.args(["-m", "--propagation", "private", SH.path, "-c", &script]).arg(&portbind);
        let output = command.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let (expected, more) = match verb {
            _ if verb.contains("--optional") => (9, "runs without being followed"),
            _ if verb.starts_with("run") => (125, "hint: mount it"),
            _ => (4, "hint: mount it"),
        };
        ensure!(output.status.code() == Some(expected), "{verb}: {}\n{said}", output.status);
        ensure!(said.contains("/proc is not mounted") && said.contains(more), "{verb}:\n{said}");
        ensure!(!said.contains("CAP_"), "{verb} asks for capabilities:\n{said}");
    }
    Ok(())
}

/// With a stack of 64 KiB the command runs with the same limit; without the right to raise the limit, portbind fails.
pub(in crate::checks) fn small_stack(setting: Setting<'_>) -> anyhow::Result<()> {
    let portbind = Scratch::new("portbind");
    std::fs::copy(setting.portbind, portbind.path())?;
    std::fs::set_permissions(portbind.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let portbind = portbind.path().display();
    let limited = |limit: &str, script: &str| -> anyhow::Result<Output> {
        let script = format!("ulimit -H -s; ulimit {limit} -s 64; {script}");
        Ok(SH.command()?.args(["-c", &script]).stdin(Stdio::null()).output()?)
    };
    let limits = format!("{} -c \"ulimit -H -s; ulimit -S -s\"", SH.path);
    let output = limited("-S", &format!("{portbind} run --backend {} -q -- {limits}", setting.backend))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    let [before, hard, soft] = printed.lines().collect::<Vec<_>>()[..] else {
        bail!("{}: {printed}\n{said}", output.status);
    };
    ensure!(hard == before && soft == "64", "other limits than {before} and 64: {hard} and {soft}");
    let output = limited("-S", &format!("{portbind} trace --backend {} --timeout 0.1", setting.backend))?;
    ensure!(output.status.success(), "{output:?}");
    for (verb, status) in [("report /dev/null", 5), ("run -- /usr/bin/true", 125)] {
        let output =
            limited("", &format!("{} --reuid=65534 --clear-groups {portbind} {verb}", SETPRIV.path))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(status), "{verb}: {}\n{said}", output.status);
        ensure!(
            said.contains("64 KiB") && said.contains("ulimit -s"),
            "{verb}: no word of the limit:\n{said}"
        );
    }
    Ok(())
}
