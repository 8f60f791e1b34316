//! The output of `portbind run` for CI systems, and the rights with which it is written.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::ensure;

use super::setting::Setting;
use crate::programs;

/// A user without privileges, who exists in every /etc/passwd.
pub(super) const NOBODY: u32 = 65_534;
/// A script with a refused bind. A shell cannot bind; python is installed wherever these checks run.
pub(super) const TWICE: &str = "
import socket
one = socket.create_server(('127.0.0.1', 0))
print('the output of the command')
socket.create_server(one.getsockname())";

/// A folder that is removed after the check.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> anyhow::Result<Self> {
        let name = format!("portbind-tests-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0)?;
        fs::set_permissions(&folder.0, Permissions::from_mode(0o755))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, name: &str, text: &str, mode: u32, owner: u32) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        chown(&path, Some(owner), Some(owner))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command with a refused bind under portbind, with only these variables and a search path.
pub(super) fn refused(
    setting: Setting<'_>,
    options: &[&str],
    variables: &[(&str, &Path)],
) -> anyhow::Result<Output> {
    let mut command = Command::new(setting.portbind);
    command.args(["run", "--backend", setting.backend]).args(options).args([
        "--",
        programs::PYTHON.path,
        "-c",
        TWICE,
    ]);
    command.env_clear().env("PATH", programs::PATH).envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.code() == Some(1), "{}: {}", output.status, stderr(&output));
    ensure!(output.stdout == b"the output of the command\n", "the output of the command is another");
    Ok(output)
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Each system gets its own format, selected by its variables or by an option; the command's output is unchanged.
pub(super) fn forms(setting: Setting<'_>) -> anyhow::Result<()> {
    let yes = Path::new("true");
    let forms: [(&str, &[&str], &str); 5] = [
        ("github", &["GITHUB_ACTIONS"], "\n::error title=bind tcp 127.0.0.1%3A"),
        ("gitlab", &["GITLAB_CI"], "\u{1b}[0Ksection_start:"),
        ("azure", &["TF_BUILD"], "\n##vso[task.logissue type=error]"),
        ("buildkite", &["BUILDKITE"], "--- :x: portbind: "),
        ("jenkins", &["JENKINS_URL", "BUILD_ID"], "======== portbind: 1 refusal ========\n"),
    ];
    for (name, marks, form) in forms {
        let variables: Vec<(&str, &Path)> = marks.iter().map(|mark| (*mark, yes)).collect();
        let detected = stderr(&refused(setting, &[], &variables)?);
        ensure!(detected.contains(form), "{name} is not shown by its variables:\n{detected}");
        let forced = stderr(&refused(setting, &["--ci", name], &[])?);
        ensure!(forced.contains(form), "{name} is not shown by the option:\n{forced}");
        for options in [&["--ci", "none"][..], &["-q"]] {
            let off = stderr(&refused(setting, options, &variables)?);
            ensure!(!off.contains(form), "{name} is shown in spite of {options:?}:\n{off}");
        }
    }
    Ok(())
}

/// The page is written to the file of the step, with the rights of the sudo caller.
pub(super) fn step_summary(setting: Setting<'_>) -> anyhow::Result<()> {
    let folder = Folder::new("summary")?;
    let own = folder.file("own", "before\n", 0o644, NOBODY)?;
    let of_root = folder.file("of-root", "secret\n", 0o600, 0)?;
    let link = folder.0.join("link");
    symlink(&of_root, &link)?;
    let uid = PathBuf::from(NOBODY.to_string());
    let shown = |path: &Path, uid: Option<&Path>| {
        let mut variables = vec![("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", path)];
        variables.extend(uid.map(|uid| ("SUDO_UID", uid)));
        refused(setting, &[], &variables).map(|output| stderr(&output))
    };
    shown(&own, Some(&uid))?;
    let page = fs::read_to_string(&own)?;
    ensure!(page.starts_with("before\n\n### portbind: 1 refusal\n"), "no page: {page}");
    ensure!(page.contains("own-socket"), "no cause: {page}");
    let missing = folder.0.join("missing");
    for path in [&of_root, &link, &missing] {
        let said = shown(path, Some(&uid))?;
        ensure!(said.contains("the findings are only in this log"), "{}: {said}", path.display());
        ensure!(said.contains("::error title="), "the run ends with it: {said}");
    }
    ensure!(fs::read_to_string(&of_root)? == "secret\n", "a file of root was written for a user");
    ensure!(!missing.exists(), "a file was made");
    shown(&of_root, None)?;
    ensure!(fs::read_to_string(&of_root)?.contains("### portbind"), "root may not write to its own file");
    Ok(())
}

/// The Buildkite program receives the page, and runs as the sudo caller.
pub(super) fn agent(setting: Setting<'_>) -> anyhow::Result<()> {
    let folder = Folder::new("agent")?;
    let log = folder.file("log", "", 0o666, NOBODY)?;
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; id -u; cat; }} > {}\n", log.display());
    folder.file("buildkite-agent", &script, 0o755, 0)?;
    let path = PathBuf::from(format!("{}:{}", folder.0.display(), programs::PATH));
    let uid = PathBuf::from(NOBODY.to_string());
    let variables = [("BUILDKITE", Path::new("true")), ("PATH", &path), ("SUDO_UID", &uid)];
    let said = stderr(&refused(setting, &[], &variables)?);
    let heard = fs::read_to_string(&log)?;
    let expected =
        format!("annotate --context portbind --style error\n{NOBODY}\n\n### portbind: 1 refusal\n");
    ensure!(heard.starts_with(&expected), "the agent heard:\n{heard}");
    ensure!(!said.contains("^^^ +++"), "the log is opened though the page is shown:\n{said}");
    fs::write(folder.0.join("buildkite-agent"), "#!/bin/sh\nexit 3\n")?;
    let said = stderr(&refused(setting, &[], &variables)?);
    ensure!(said.contains("^^^ +++") && said.contains("exit status: 3"), "no word of its failure:\n{said}");
    Ok(())
}
