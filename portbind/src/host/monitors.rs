//! The process that a container runtime keeps above the processes of a container, and what it shows of the container.
//!
//! It knows the container also where a runtime keeps its files in other folders than the default ones. Docker and
//! containerd start a shim whose arguments have the container's id, and whose working folder is the container's bundle
//! (containerd(8), runtime/v2). The bundle of a container of Docker mounts files of Docker's folder for the container.
//! Podman's conmon has the id and the name in its arguments.

use serde::Deserialize;

use super::container;
use super::container_names::{self, Bundle, MAX_BYTES};
use super::machine::Host;
use super::process::{cgroup, ids};
use super::proxies::option;
use crate::diagnosis::program::file_name;
use crate::event::{Ancestor, Container, Runtime};

/// Root, who runs the monitors that are believed.
const ROOT: u32 = 0;

/// What a monitor shows of its container.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    id: String,
    runtime: Option<Runtime>,
    name: Option<String>,
}

impl Host {
    /// Fills in what the monitor above a process shows of its container: the name, the runtime, and that the cgroup is
    /// the runtime's own.
    pub(super) fn ask_monitor(&self, container: &mut Container, ancestors: &[Ancestor]) {
        let is_its = |shown: &Shown| shown.id == container.id;
        let Some(shown) = self.monitored_above(ancestors).find(is_its) else { return };
        container.is_nested = false;
        container.runtime = container.runtime.or(shown.runtime);
        container.name = container.name.take().or(shown.name);
    }

    /// The container of a process that has ended, by the monitor above the process. The shim of a pod has several
    /// containers, and shows none of them.
    #[must_use]
    pub fn container_below(&self, ancestors: &[Ancestor]) -> Option<Container> {
        let Shown { id, runtime, name } = self.monitored_above(ancestors).next()?;
        let runtime = runtime.filter(|runtime| *runtime != Runtime::Containerd)?;
        Some(Container { name, ..Container::new(id, Some(runtime)) })
    }

    /// What the monitors among the ancestors of a process show, nearest first.
    fn monitored_above(&self, ancestors: &[Ancestor]) -> impl Iterator<Item = Shown> {
        let above = ancestors.iter().filter(|above| Container::is_monitor(&above.comm));
        above.take(2).filter_map(|above| self.monitored(above.pid))
    }

    /// What a process shows of its container; `None` if the process is no monitor. Anybody can start a program of such
    /// a name, so only root's are believed, outside of containers.
    fn monitored(&self, pid: u32) -> Option<Shown> {
        let status = self.procfs.read(&format!("{pid}/status"))?;
        let groups = self.procfs.read(&format!("{pid}/cgroup"))?;
        let is_inside = cgroup(&groups).is_some_and(|path| container::place(&path).is_some());
        if ids(&status).0 != Some(ROOT) || is_inside {
            return None;
        }
        let exe = self.procfs.executable(pid)?;
        let args = self.arguments_of_roots(pid)?;
        match file_name(&exe) {
            "conmon" => {
                let id = option(&args, "-c").or_else(|| option(&args, "--cid"))?.to_owned();
                let name = option(&args, "-n").or_else(|| option(&args, "--name")).map(str::to_owned);
                let is_podmans = args.iter().any(|word| file_name(word) == "podman");
                Some(Shown { id, runtime: is_podmans.then_some(Runtime::Podman), name })
            }
            shim if shim.starts_with("containerd-shim") => {
                let id = option(&args, "-id")?;
                let runtime = match option(&args, "-namespace") {
                    Some("moby") => Runtime::Docker,
                    _ => Runtime::Containerd,
                };
                let name = self.name_in_bundle(pid, id, runtime);
                Some(Shown { id: id.to_owned(), runtime: Some(runtime), name })
            }
            _ => None,
        }
    }

    /// The name of a container in the bundle that is a shim's working folder.
    fn name_in_bundle(&self, shim: u32, id: &str, runtime: Runtime) -> Option<String> {
        let bytes = self.files.read_of(ROOT, &format!("proc/{shim}/cwd/config.json"), MAX_BYTES)?;
        if runtime != Runtime::Docker {
            return serde_json::from_slice::<Bundle>(&bytes).ok()?.into_name();
        }
        let folder = serde_json::from_slice::<Mounts>(&bytes).ok()?.folder_of(id)?;
        let path = format!("proc/{shim}/root{folder}/config.v2.json");
        let config = self.files.read_of(ROOT, &path, MAX_BYTES)?;
        let config: container_names::DockerConfig = serde_json::from_slice(&config).ok()?;
        config.has_id(id).then(|| config.into_name())
    }
}

/// The mounts of an OCI bundle's `config.json`.
#[derive(Deserialize)]
struct Mounts {
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(default)]
    source: String,
}

impl Mounts {
    /// Docker's folder for a container, of which Docker mounts some files in the container (`resolv.conf`,
    /// `mounts/shm`).
    fn folder_of(&self, id: &str) -> Option<String> {
        let end = format!("/containers/{id}");
        self.mounts.iter().find_map(|mount| {
            let (root, rest) = mount.source.split_once(&end)?;
            (root.starts_with('/') && rest.starts_with('/')).then(|| format!("{root}{end}"))
        })
    }
}

#[cfg(test)]
#[path = "monitors_tests.rs"]
mod tests;
