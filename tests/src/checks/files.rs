//! Files that portbind writes: with the rights of its caller, and through no symbolic link that other users could have
//! created.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context as _, ensure};

use super::ci::{Folder, NOBODY, refused, stderr};
use super::setting::Setting;
use crate::programs::{self, TRUE};

/// The content of root's file, which must not change.
const PRECIOUS: &str = "root only, precious\n";
/// Attempts in which a file may be replaced between any two accesses.
const ATTEMPTS: usize = 200;

/// The kinds of links to root's file.
const KINDS: [&str; 4] = ["link", "folder/new", "dangling", "hard"];

/// The caller of portbind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// `nobody`, through sudo.
    Sudo,
    /// Root itself, in another user's folder.
    Root,
}

/// A checkout that belongs to `nobody`, with links to root's files.
struct Checkout {
    folder: Folder,
    precious: PathBuf,
    /// Root's file.
    secret: PathBuf,
    repository: PathBuf,
}

impl Checkout {
    fn new(name: &str) -> anyhow::Result<Self> {
        let folder = Folder::new(name)?;
        let precious = folder.file("precious", PRECIOUS, 0o600, 0)?;
        let [secret, repository] = ["secret", "repository"].map(|name| folder.path().join(name));
        for (path, owner) in [(&secret, 0), (&repository, NOBODY)] {
            fs::create_dir(path)?;
            fs::set_permissions(path, Permissions::from_mode(0o755))?;
            chown(path, Some(owner), Some(owner))?;
        }
        let checkout = Self { folder, precious, secret, repository };
        symlink(&checkout.precious, checkout.repository.join("link"))?;
        symlink(&checkout.secret, checkout.repository.join("folder"))?;
        symlink(checkout.secret.join("none"), checkout.repository.join("dangling"))?;
        fs::hard_link(&checkout.precious, checkout.repository.join("hard"))?;
        Ok(checkout)
    }

    /// Runs portbind in the checkout.
    fn portbind(&self, setting: Setting<'_>, caller: Caller, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(fs::canonicalize(setting.portbind)?);
        command.args(arguments).current_dir(&self.repository).stdin(Stdio::null());
        command.env_clear().env("PATH", programs::PATH);
        if caller == Caller::Sudo {
            command.env("SUDO_UID", NOBODY.to_string());
        }
        Ok(command.output()?)
    }

    fn is_untouched(&self) -> anyhow::Result<()> {
        let text = fs::read_to_string(&self.precious)?;
        ensure!(text == PRECIOUS, "the file of root now begins with {:?}", text.get(..60).unwrap_or(&text));
        let owner = fs::metadata(&self.precious)?.uid();
        ensure!(owner == 0, "the file of root now belongs to {owner}");
        let made = fs::read_dir(&self.secret)?.count();
        ensure!(made == 0, "{made} files were made in a folder of root");
        Ok(())
    }
}

/// The command lines that write a file.
fn writers<'a>(setting: Setting<'a>, file: &'a str) -> [Vec<&'a str>; 4] {
    let run = |option| vec!["run", "-q", "--backend", setting.backend, option, file, "--", TRUE.path];
    let trace = vec!["trace", "-q", "--backend", setting.backend, "--timeout", "0.1", "--output", file];
    [run("--record"), run("--report"), trace, vec!["report", "-", "--html", file]]
}

/// Links of every kind, for each option, through sudo and as root: their targets stay unchanged.
pub(super) fn links(setting: Setting<'_>) -> anyhow::Result<()> {
    for caller in [Caller::Sudo, Caller::Root] {
        for kind in KINDS {
            for arguments in writers(setting, kind) {
                let checkout = Checkout::new("links")?;
                let output = checkout.portbind(setting, caller, &arguments)?;
                let context = || format!("{caller:?} {arguments:?}: {}", stderr(&output));
                checkout.is_untouched().with_context(context)?;
                let replaces = arguments.contains(&"--report") || arguments.contains(&"--html");
                // Only the name in the checkout itself may be replaced.
                let is_allowed = replaces && kind != "folder/new";
                ensure!(output.status.success() == is_allowed, "{}: {}", output.status, context());
                let said = is_allowed || stderr(&output).contains(kind.split('/').next().unwrap_or(kind));
                ensure!(said, "the file is not named: {}", context());
            }
        }
    }
    Ok(())
}

/// A new file belongs to the caller from the start, and no other user can read it.
pub(super) fn owner_and_mode(setting: Setting<'_>) -> anyhow::Result<()> {
    for (caller, owner) in [(Caller::Sudo, NOBODY), (Caller::Root, 0)] {
        for (index, arguments) in writers(setting, "new").into_iter().enumerate() {
            let checkout = Checkout::new("owner")?;
            let output = checkout.portbind(setting, caller, &arguments)?;
            ensure!(output.status.success(), "{caller:?} {arguments:?}: {}", stderr(&output));
            let made = fs::metadata(checkout.repository.join("new"))?;
            let (uid, mode) = (made.uid(), made.mode() & 0o7777);
            ensure!(
                (uid, mode) == (owner, 0o600),
                "{caller:?} {index}: it belongs to {uid}, with mode {mode:o}"
            );
            let left: Vec<_> = fs::read_dir(&checkout.repository)?.filter_map(Result::ok).collect();
            ensure!(left.len() == 5, "more files than one were made: {left:?}");
        }
    }
    Ok(())
}

/// The earlier page stays complete while the command runs, and the new page keeps its permissions.
pub(super) fn replaced_at_the_end(setting: Setting<'_>) -> anyhow::Result<()> {
    let checkout = Checkout::new("replaced")?;
    let page = checkout.repository.join("page");
    fs::write(&page, "old")?;
    fs::set_permissions(&page, Permissions::from_mode(0o644))?;
    chown(&page, Some(NOBODY), Some(NOBODY))?;
    let before = fs::metadata(&page)?.ino();
    let command =
        ["run", "-q", "--backend", setting.backend, "--report", "page", "--", programs::CAT.path, "page"];
    let output = checkout.portbind(setting, Caller::Sudo, &command)?;
    ensure!(output.stdout == b"old", "the command saw {:?}", String::from_utf8_lossy(&output.stdout));
    let after = fs::metadata(&page)?;
    ensure!(fs::read_to_string(&page)?.starts_with("<!DOCTYPE html>"), "there is no page");
    ensure!(after.ino() != before && after.mode() & 0o777 == 0o644, "it is not a new file of the same mode");
    Ok(())
}

/// An error about the file of `--report` is reported before the command runs, not after.
pub(super) fn errors_come_first(setting: Setting<'_>) -> anyhow::Result<()> {
    let checkout = Checkout::new("errors")?;
    fs::create_dir(checkout.repository.join("is-folder"))?;
    let secret = checkout.secret.join("page").display().to_string();
    for (caller, path) in
        [(Caller::Root, "none/page"), (Caller::Root, "is-folder"), (Caller::Sudo, secret.as_str())]
    {
        let command =
            ["run", "-q", "--backend", setting.backend, "--report", path, "--", "echo", "the command ran"];
        let output = checkout.portbind(setting, caller, &command)?;
        let said = stderr(&output);
        ensure!(output.status.code() == Some(125), "{path}: {}: {said}", output.status);
        ensure!(output.stdout.is_empty(), "{path}: the command ran before: {said}");
        ensure!(said.contains(path) && said.contains("hint: "), "{path}: {said}");
    }
    Ok(())
}

/// A process that replaces a file by a link to root's file and back, as fast as it can.
struct Swapper(Child);

impl Swapper {
    fn start(checkout: &Checkout, name: &str) -> anyhow::Result<Self> {
        const SWAP: &str = "
import os, sys
target, name = sys.argv[1:]
first = True
while True:
    os.symlink(target, '.link'); os.rename('.link', name)
    open('.file', 'w').close(); os.rename('.file', name)
    if first: print('ready', flush=True)
    first = False";
        let mut child = programs::SETPRIV
            .command()?
            .args(["--reuid", &NOBODY.to_string(), "--regid", &NOBODY.to_string(), "--clear-groups"])
            .args([programs::PYTHON.path, "-c", SWAP])
            .arg(&checkout.precious)
            .arg(name)
            .env("PATH", programs::PATH)
            .current_dir(&checkout.repository)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let swapper = Self(child);
        ensure!(line == "ready\n", "the swapping process does not begin");
        Ok(swapper)
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// A file that alternates with a link: portbind as root never writes through the link.
pub(super) fn race(setting: Setting<'_>) -> anyhow::Result<()> {
    let checkout = Checkout::new("race")?;
    let _swapper = Swapper::start(&checkout, "swapped")?;
    let portbind = fs::canonicalize(setting.portbind)?;
    let (mut written, mut refused) = (0, 0);
    for _ in 0..ATTEMPTS {
        // Without the rights to trace, a run takes no longer than its command.
        let status = programs::SETPRIV
            .command()?
            .args(["--bounding-set", "-bpf,-perfmon,-sys_admin"])
            .arg(&portbind)
            .args(["run", "--optional", "--record", "swapped", "--", TRUE.path])
            .current_dir(&checkout.repository)
            .env_clear()
            .env("PATH", programs::PATH)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        *if status.success() { &mut written } else { &mut refused } += 1;
        let page = checkout.portbind(setting, Caller::Root, &["report", "-", "--html", "swapped"])?;
        ensure!(page.status.success(), "a page replaces what is there: {}", stderr(&page));
    }
    checkout.is_untouched()?;
    ensure!(written > 0 && refused > 0, "it was a file {written} times and a link {refused} times");
    Ok(())
}

/// The helper's user may kill it: then the findings are only in the log, and the status is passed on.
pub(super) fn killed_helper(setting: Setting<'_>) -> anyhow::Result<()> {
    const KILL: &str = "
import os, signal, socket, sys
def parent(pid):
    return int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1])
def is_helper(pid):
    try: return b'__writer' in open(f'/proc/{pid}/cmdline', 'rb').read() and parent(pid) == os.getppid()
    except OSError: return False
pids = [int(pid) for pid in os.listdir('/proc') if pid.isdigit()]
helpers = [pid for pid in pids if pid != os.getpid() and is_helper(pid)]
for helper in helpers: os.kill(helper, signal.SIGKILL)
one = socket.create_server(('127.0.0.1', 0))
try: socket.create_server(one.getsockname())
except OSError: pass
sys.exit(30 + len(helpers))";
    let folder = Folder::new("killed")?;
    let summary = folder.file("summary", "", 0o644, NOBODY)?;
    let mut command = Command::new(setting.portbind);
    command
        .args(["run", "--backend", setting.backend, "--", programs::PYTHON.path, "-c", KILL])
        .stdin(Stdio::null());
    command.env_clear().env("PATH", programs::PATH).env("GITHUB_ACTIONS", "true");
    command.env("SUDO_UID", NOBODY.to_string()).env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output()?;
    let said = stderr(&output);
    ensure!(output.status.code() == Some(31), "the status is lost: {}: {said}", output.status);
    ensure!(said.contains("the findings are only in this log") && said.contains("has ended"), "{said}");
    ensure!(said.contains("::error title="), "the findings are lost: {said}");
    ensure!(fs::read_to_string(&summary)?.is_empty(), "somebody wrote the page");
    Ok(())
}

/// The page of a step is not written through a link even if root is the caller: a checkout may determine the file name.
pub(super) fn step_summary(setting: Setting<'_>) -> anyhow::Result<()> {
    let checkout = Checkout::new("step")?;
    for kind in KINDS {
        let path = checkout.repository.join(kind);
        let variables = [("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", &path)];
        let said = stderr(&refused(setting, &[], &variables)?);
        ensure!(said.contains("the findings are only in this log"), "{kind}: {said}");
        checkout.is_untouched().with_context(|| format!("{kind}: {said}"))?;
    }
    let variables = [("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", checkout.folder.path())];
    ensure!(stderr(&refused(setting, &[], &variables)?).contains("only in this log"), "a folder is no file");
    Ok(())
}
