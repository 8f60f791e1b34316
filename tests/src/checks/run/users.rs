//! The user as whom the command runs.

use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, ensure};

use super::wrapped::{Recording, test_program, wrapped};
use crate::checks::setting::Setting;
use crate::checks::support::exited;
use crate::programs;
use crate::scratch::Scratch;
use crate::tracer::{Ended, Tracer};

/// A user of every Debian: `nobody`.
const NOBODY: &str = "65534";

fn line<'a>(ended: &'a Ended, name: &str) -> anyhow::Result<&'a str> {
    let value = ended.stdout.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.with_context(|| format!("no {name}:\n{}\n{}", ended.stdout.join("\n"), ended.stderr.join("\n")))
}

/// `--user`, and SUDO_UID without a sudo process: all ids, no capability, a home.
pub(in crate::checks) fn as_user(setting: Setting<'_>) -> anyhow::Result<()> {
    let recording = Recording::new("user");
    let record = recording.option();
    let mut by_option = wrapped(setting, &["-u", "nobody", &record], ["state"])?;
    let mut by_variable = wrapped(setting, &[&record], ["state"])?;
    for command in [&mut by_option, by_variable.env("SUDO_UID", NOBODY)] {
        let ended = Tracer::spawn(command)?.end()?;
        exited(&ended, 0)?;
        for name in ["Uid", "Gid"] {
            let ids: Vec<_> = line(&ended, name)?.split_whitespace().collect();
            ensure!(ids == [NOBODY; 4], "{name}: {ids:?}");
        }
        ensure!(line(&ended, "Groups")?.trim() == NOBODY, "{}", line(&ended, "Groups")?);
        ensure!(line(&ended, "CapEff")?.trim_start_matches('0').is_empty(), "it has capabilities");
        let environment = line(&ended, "environment")?;
        ensure!(
            environment.contains(r#"("USER", "nobody")"#) && !environment.contains("SUDO_"),
            "{environment}"
        );
    }
    let owner = std::fs::metadata(recording.path())?.uid();
    ensure!(owner.to_string() == NOBODY, "the recording belongs to {owner}");
    Ok(())
}

/// Real sudo: the command runs as if neither sudo nor portbind preceded it.
pub(in crate::checks) fn sudo(setting: Setting<'_>) -> anyhow::Result<()> {
    let rules = rules("!use_pty")?;
    let portbind = readable(setting.portbind, "portbind")?;
    let subject = readable(&test_program()?, "wrapped")?;
    let within = |script: &str| with_rules(&rules, script);
    let subject = format!("{} wrapped state", subject.path().display());
    let state = |prefix: &str| {
        within(&format!(
            "{setpriv} --reuid=65534 --regid=100 --groups=100,4242 {env} -i FOO='b a r' PATH=/opt/none:/usr/bin:/bin \
             {sh} -c 'umask 031; cd /usr; {prefix} {subject}'",
            setpriv = programs::SETPRIV.path,
            env = programs::ENV.path,
            sh = programs::SH.path,
        ))
    };
    // A shell without further commands executes sudo directly, so that the process above sudo is not its caller.
    let (su, bash, sudo) = (programs::SU.path, programs::BASH.path, programs::SUDO.path);
    let by_su = |prefix: &str| within(&format!("{su} -s {bash} nobody -c 'FOO=1 {prefix} {subject}'"));
    let wrap = format!("{sudo} {} run -q --backend {} --", portbind.path().display(), setting.backend);
    let (bare, wrapped) = (state("")?, state(&wrap)?);
    exited(&wrapped, 0)?;
    for name in ["Uid", "Gid", "Groups", "Umask", "folder", "CapEff", "SigIgn", "environment"] {
        let (without, with) = (line(&bare, name)?, line(&wrapped, name)?);
        ensure!(without == with, "{name}: {without:?} without sudo and portbind, {with:?} with them");
    }
    let (bare, wrapped) = (by_su("")?, by_su(&wrap)?);
    exited(&wrapped, 0)?;
    for name in ["Uid", "Gid", "Groups"] {
        let (without, with) = (line(&bare, name)?, line(&wrapped, name)?);
        ensure!(without == with, "{name}: {without:?} by su, {with:?} with sudo and portbind");
    }
    // The rest differs in `_`, which bash sets to the program that it executes.
    ensure!(line(&wrapped, "environment")?.contains(r#"("FOO", "1")"#), "what su's shell set is lost");
    // sudo ends, and its child continues below process 1, which on some machines not even root may fully inspect.
    let left = by_su(&wrap.replace(sudo, &format!("{sudo} -b")))?;
    ensure!(
        line(&left, "environment")?.contains(r#"("FOO", "1")"#),
        "what the caller of sudo -b set is lost"
    );
    // A user without any processes left may still execute another program.
    exited(&by_su(&format!("ulimit -S -u 0; exec {wrap}"))?, 0)?;
    let given = state(&wrap.replace(sudo, &format!("{sudo} GIVEN=1")))?;
    ensure!(line(&given, "environment")?.contains(r#"("GIVEN", "1")"#), "what sudo was given is lost");
    Ok(())
}

/// A sudo that executed the command is gone, with its environment: portbind uses the process above, if it belongs to
/// the caller.
pub(in crate::checks) fn replaced_sudo(setting: Setting<'_>) -> anyhow::Result<()> {
    let rules = rules("!use_pty, !pam_session, !pam_setcred")?;
    let portbind = readable(setting.portbind, "portbind")?;
    let subject = readable(&test_program()?, "wrapped")?;
    let (su, bash, sudo) = (programs::SU.path, programs::BASH.path, programs::SUDO.path);
    let run = format!("{} run --backend {} --", portbind.path().display(), setting.backend);
    let subject = format!("{} wrapped state", subject.path().display());
    let by_su = |script: &str| with_rules(&rules, &format!("{su} -s {bash} nobody -c '{script}'"));
    let lost = |ended: &Ended, words: &str| {
        ended.stderr.iter().filter(|line| line.starts_with("portbind: ") && line.contains(words)).count()
    };
    // The shell continues.
    let known = by_su(&format!("FOO=1 {bash} -c \"umask 031; {sudo} GIVEN=1 {run} {subject}; true\""))?;
    exited(&known, 0)?;
    let environment = line(&known, "environment")?;
    for variable in [r#"("FOO", "1")"#, r#"("GIVEN", "1")"#] {
        ensure!(environment.contains(variable), "{variable} is lost: {environment}");
    }
    ensure!(!environment.contains("SUDO_"), "sudo is seen: {environment}");
    ensure!(line(&known, "Umask")? == "0031", "another mask: {}", line(&known, "Umask")?);
    ensure!(lost(&known, "sudo has become portbind") == 1, "it is not said once: {:?}", known.stderr);
    // The shell has become sudo; above it is su, which belongs to root.
    let unknown = by_su(&format!("FOO=1 {sudo} {run} {subject}"))?;
    exited(&unknown, 0)?;
    ensure!(line(&unknown, "Uid")?.starts_with("65534"), "another user: {}", line(&unknown, "Uid")?);
    ensure!(
        lost(&unknown, "of the caller of sudo is lost") == 1,
        "it is not said once: {:?}",
        unknown.stderr
    );
    // A root shell started by sudo has a separate environment.
    let shell = by_su(&format!("{sudo} {bash} -c \"export FOO=2; {run} {subject}; true\""))?;
    exited(&shell, 0)?;
    ensure!(line(&shell, "environment")?.contains(r#"("FOO", "2")"#), "what root's shell set is lost");
    ensure!(lost(&shell, "sudo") == 0, "too much is said: {:?}", shell.stderr);
    Ok(())
}

/// Any user can set the variables of sudo; portbind trusts them only as root.
pub(in crate::checks) fn variables_of_nobody(setting: Setting<'_>) -> anyhow::Result<()> {
    let portbind = readable(setting.portbind, "portbind")?;
    let subject = readable(&test_program()?, "wrapped")?;
    let mut command = programs::SETPRIV.command()?;
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(portbind.path());
    command.args(["run", "--optional", "--"]).arg(subject.path()).args(["wrapped", "state"]);
    let ended = Tracer::spawn(command.env("SUDO_UID", "1").env("SUDO_GID", "1").current_dir("/"))?.end()?;
    exited(&ended, 0)?;
    ensure!(line(&ended, "Uid")?.starts_with("65534"), "another user: {}", line(&ended, "Uid")?);
    Ok(())
}

/// sudo rules that let `nobody` become root without a password.
fn rules(defaults: &str) -> anyhow::Result<Scratch> {
    let rules = Scratch::new("sudoers");
    let text = format!("Defaults env_reset\nDefaults {defaults}\nnobody ALL=(ALL) NOPASSWD: ALL\n");
    std::fs::write(rules.path(), text)?;
    programs::SUDO.is_there()?;
    Ok(rules)
}

/// Runs a script in a separate mount namespace with these sudo rules.
fn with_rules(rules: &Scratch, script: &str) -> anyhow::Result<Ended> {
    let rules = rules.path().display();
    let script = format!(
        "chown 0:0 {rules}; chmod 440 {rules}; mount --bind {rules} /etc/sudoers || exit 90; exec {script}"
    );
    let mut command = programs::UNSHARE.command()?;
    Tracer::spawn(command.args(["-m", "--propagation", "private", programs::SH.path, "-c", &script]))?.end()
}

/// A copy of a program that every user may run.
fn readable(program: &std::path::Path, name: &str) -> anyhow::Result<Scratch> {
    let copy = Scratch::new(name);
    std::fs::copy(program, copy.path())?;
    std::fs::set_permissions(copy.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(copy)
}
