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
    runtime: Option<Runtime>,
    name: Option<String>,
}

impl Host {
    /// Fills in what the monitor above a process shows of its container: the name, the runtime, and that the cgroup is
    /// the runtime's own.
    pub(super) fn ask_monitor(&self, container: &mut Container, ancestors: &[Ancestor]) {
        let above = ancestors.iter().filter(|above| Container::is_monitor(&above.comm));
        let Some(shown) = above.take(2).find_map(|above| self.monitored(above.pid, &container.id)) else {
            return;
        };
        container.is_nested = false;
        container.runtime = container.runtime.or(shown.runtime);
        container.name = container.name.take().or(shown.name);
    }

    /// What a process shows of this container; `None` if the process is no monitor of it. Anybody can start a program
    /// of such a name, so only root's are believed, outside of containers.
    fn monitored(&self, pid: u32, id: &str) -> Option<Shown> {
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
                let is_its = option(&args, "-c").or_else(|| option(&args, "--cid")) == Some(id);
                let name = option(&args, "-n").or_else(|| option(&args, "--name")).map(str::to_owned);
                is_its.then_some(Shown { runtime: None, name })
            }
            shim if shim.starts_with("containerd-shim") && option(&args, "-id") == Some(id) => {
                let runtime = match option(&args, "-namespace") {
                    Some("moby") => Runtime::Docker,
                    _ => Runtime::Containerd,
                };
                Some(Shown { runtime: Some(runtime), name: self.name_in_bundle(pid, id, runtime) })
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
    /// Docker's folder for a container, of which Docker mounts some files in the container (`resolv.conf`, `mounts/shm`).
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
