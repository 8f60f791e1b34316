//! The surroundings of a process, and what is reported of its environment.

use std::path::Path;

use anyhow::{Context as _, ensure};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use rustix::process::Signal;
use serde_json::Value;

use super::setting::Setting;
use super::support::{ContestedPort, exited};
use crate::actor::{Action, Protocol};
use crate::scratch::Scratch;
use crate::sys::cgroup::Cgroup;
use crate::tracer::{Ended, Tracer};

/// A string that must never be printed.
const SECRET: &str = "hunter2-is-secret";

/// The tests of caller and owner are reported in every format that has room; a secret in none.
pub(super) fn environment(setting: Setting<'_>) -> anyhow::Result<()> {
    for format in ["text", "brief", "json"] {
        let ended = trace_people(setting, format)?;
        let shown = ended.stdout.join("\n");
        ensure!(!shown.contains(SECRET), "{format}: a secret is shown:\n{shown}");
        let said = ended.stderr.join("\n");
        ensure!(!said.contains(SECRET), "{format}: a secret is shown:\n{said}");
        let words: &[&str] = match format {
            "text" => &[
                "asked by  test api.py::test_new (gw1)   job build (github 77)",
                "   test api.py::test_old (gw0)",
            ],
            "json" => &["\"name\":\"api.py::test_new\"", "\"name\":\"api.py::test_old\"", "\"run\":\"77\""],
            _ => &[],
        };
        for word in words {
            ensure!(shown.contains(word), "{format}: not shown: {word}\n{shown}");
        }
    }
    Ok(())
}

/// A refusal between two tests whose environments also contain secrets.
fn trace_people(setting: Setting<'_>, format: &str) -> anyhow::Result<Ended> {
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    let secrets = [("AWS_SECRET_ACCESS_KEY", SECRET), ("GITHUB_TOKEN", SECRET), ("GITHUB_ACTIONS", SECRET)];
    let job = [("GITHUB_JOB", "build"), ("GITHUB_RUN_ID", "77")];
    for (actor, test, worker) in
        [("heir", "api.py::test_old (call)", "gw0"), ("binder", "api.py::test_new", "gw1")]
    {
        let test = [("PYTEST_CURRENT_TEST", test), ("PYTEST_XDIST_WORKER", worker)];
        let variables = [&secrets[..], &job, &test].concat();
        contested.actors.cast(actor, Path::new("/proc/self/exe"), &[], &variables)?;
    }
    let give = Action::Give { socket: "old".to_owned(), to: "heir".to_owned(), mailbox: String::new() };
    contested.actors.perform("holder", &give)?;
    contested.actors.perform("heir", &Action::Take { new: "old".to_owned() })?;
    let port = contested.port.to_string();
    let options = ["-v", "-o", format, "-P", &port, "--color", "never"];
    let tracer = Tracer::trace(setting.portbind, setting.backend, &options)?;
    contested.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    Ok(ended)
}

/// A container is recognized by its cgroup path, for caller and owner.
pub(super) fn container(setting: Setting<'_>) -> anyhow::Result<()> {
    let id = format!("{:064x}", std::process::id());
    let cgroup = Cgroup::new(&format!("docker/{id}"))?;
    let mut contested = ContestedPort::new(Protocol::Tcp)?;
    contested.rename("binder", "binder")?;
    for actor in ["holder", "binder"] {
        cgroup.enter(contested.actors.pid(actor).context("no actor")?)?;
    }
    let port = contested.port.to_string();
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-P", &port])?;
    contested.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let shown = ended.stdout.join("\n");
    let refusal: Value = serde_json::from_str(ended.stdout.first().context("no refusal")?)?;
    // The history may name the holder as well.
    for side in ["/process", "/holders/0/processes/0"] {
        let container = |field: &str| refusal.pointer(&format!("{side}/container/{field}"))?.as_str();
        let is_shown = container("id") == Some(&*id) && container("runtime") == Some("docker");
        ensure!(is_shown, "{side}: not shown of both:\n{shown}");
    }
    Ok(())
}

/// A namespace is reported by the name under which it is mounted.
pub(super) fn namespace_name(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut contested = ContestedPort::new(Protocol::Udp)?;
    contested.actors.perform("holder", &Action::NewNetns)?;
    contested.actors.perform("binder", &Action::JoinNetns { of: "holder".to_owned(), pid: 0 })?;
    contested.hold()?;
    let holder = contested.actors.pid("holder").context("no holder")?;
    let name = Mounted::new(&format!("/proc/{holder}/ns/net"))?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json"])?;
    contested.refuse("binder", 1)?;
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let shown = ended.stdout.join("\n");
    ensure!(
        shown.contains(&format!("\"netns_name\":\"{}\"", name.name()?)),
        "its name is not shown:\n{shown}"
    );
    Ok(())
}

/// A name below `/run/netns`, as ip-netns(8) creates it.
struct Mounted(Scratch);

impl Mounted {
    fn new(namespace: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all("/run/netns")?;
        let name = Path::new("/run/netns").join(format!("portbind-tests-{}", std::process::id()));
        std::fs::write(&name, "")?;
        let file = Scratch::at(name);
        mount_bind(namespace, file.path())?;
        Ok(Self(file))
    }

    fn name(&self) -> anyhow::Result<&str> {
        let name = self.0.path().file_name().and_then(std::ffi::OsStr::to_str);
        name.context("no name")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _gone = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}
