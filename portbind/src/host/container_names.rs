//! Names of containers and pods, from the files that their runtimes keep on disk. No runtime is queried.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::files::Files;
use crate::event::{Container, Pod, Runtime};

/// The longest file that is read.
pub(super) const MAX_BYTES: u64 = 1024 * 1024;
/// The most namespaces of containerd that are searched.
const MAX_NAMESPACES: usize = 32;
/// Where containerd keeps the bundles of running containers, by namespace and id.
const CONTAINERD: [&str; 2] =
    ["run/containerd/io.containerd.runtime.v2.task", "run/k3s/containerd/io.containerd.runtime.v2.task"];
/// Where containers/storage, which Podman and CRI-O share, keeps its containers.
const STORAGE: [&str; 2] =
    ["run/containers/storage/overlay-containers", "var/lib/containers/storage/overlay-containers"];
/// Lists of containers in that storage: containers that survive a reboot, and containers that do not.
const STORAGE_LISTS: [&str; 2] = ["containers.json", "volatile-containers.json"];
/// One folder for each pod: `NAMESPACE_NAME_UID` (BuildPodLogsDirectory in kubernetes, pkg/kubelet).
const POD_LOGS: &str = "var/log/pods";

/// Fills in the names, and the runtime if the path of the cgroup did not contain it.
pub(super) fn fill_in(container: &mut Container, files: &Files) {
    let tries: &[Runtime] = match &container.runtime {
        Some(known) => &[*known],
        None => &[Runtime::Docker, Runtime::Containerd, Runtime::CriO, Runtime::Podman],
    };
    for &runtime in tries {
        if let Some(shown) = names(runtime, &container.id, files) {
            container.runtime = Some(runtime);
            container.name = shown.name;
            merge(&mut container.pod, shown.pod);
            break;
        }
    }
    if let Some(pod) = &mut container.pod
        && pod.name.is_none()
    {
        name_from_logs(pod, files);
    }
}

/// The facts about a container in a runtime's files.
struct Names {
    name: Option<String>,
    pod: Pod,
}

fn names(runtime: Runtime, id: &str, files: &Files) -> Option<Names> {
    match runtime {
        Runtime::Docker => docker(id, files),
        Runtime::Containerd => containerd(id, files),
        Runtime::Podman => podman(id, files),
        Runtime::CriO => crio(id, files),
    }
}

/// `container.Container` of moby (container/container.go), as it is written to disk.
#[derive(Deserialize)]
pub(super) struct DockerConfig {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "NetworkSettings", default)]
    network: DockerNetworks,
}

#[derive(Default, Deserialize)]
struct DockerNetworks {
    #[serde(rename = "Networks", default)]
    networks: Option<HashMap<String, DockerEndpoint>>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "IPAddress", default)]
    v4: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    v6: String,
}

impl DockerConfig {
    /// Whether the container has this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.id == id
    }

    /// The container's name.
    pub(super) fn into_name(self) -> String {
        self.name.strip_prefix('/').map_or_else(|| self.name.clone(), str::to_owned)
    }

    /// Whether the container has this address on one of its networks.
    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        let endpoints = self.network.networks.iter().flat_map(HashMap::values);
        endpoints.flat_map(|endpoint| [&endpoint.v4, &endpoint.v6]).any(|text| text.parse() == Ok(address))
    }
}

/// Docker's description of a container.
pub(super) fn docker_config(files: &Files, path: &str) -> Option<DockerConfig> {
    json(files, path)
}

fn docker(id: &str, files: &Files) -> Option<Names> {
    let config = docker_config(files, &format!("var/lib/docker/containers/{id}/config.v2.json"))?;
    Some(Names { name: Some(config.into_name()), pod: Pod::default() })
}

fn containerd(id: &str, files: &Files) -> Option<Names> {
    CONTAINERD.iter().find_map(|folder| {
        let namespaces = files.names(folder).into_iter().take(MAX_NAMESPACES);
        namespaces
            .filter_map(|namespace| json(files, &format!("{folder}/{namespace}/{id}/config.json")))
            .map(Bundle::names)
            .next()
    })
}

fn crio(id: &str, files: &Files) -> Option<Names> {
    let bundle = |folder| json(files, &format!("{folder}/{id}/userdata/config.json"));
    STORAGE.iter().find_map(bundle).map(Bundle::names)
}

fn podman(id: &str, files: &Files) -> Option<Names> {
    /// An entry in a list of containers/storage (`Container` in containers.go).
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        #[serde(default)]
        names: Vec<String>,
    }
    let lists = STORAGE.iter().flat_map(|folder| STORAGE_LISTS.map(|list| format!("{folder}/{list}")));
    let entries = lists.filter_map(|list| json::<Vec<Entry>>(files, &list)).flatten();
    let name = entries.into_iter().find(|entry| entry.id == id)?.names.into_iter().next();
    Some(Names { name, pod: Pod::default() })
}

/// The part of an OCI bundle's `config.json` that holds names.
#[derive(Deserialize)]
pub(super) struct Bundle {
    #[serde(default)]
    annotations: HashMap<String, String>,
}

impl Bundle {
    /// The container's name.
    pub(super) fn into_name(self) -> Option<String> {
        self.names().name
    }

    /// Names under the keys of containerd's CRI plugin, nerdctl and CRI-O.
    fn names(mut self) -> Names {
        let mut first = |keys: &[&str]| keys.iter().find_map(|key| self.annotations.remove(*key));
        Names {
            name: first(&[
                "io.kubernetes.cri.container-name",
                "nerdctl/name",
                "io.kubernetes.container.name",
            ]),
            pod: Pod {
                uid: first(&["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"]),
                namespace: first(&["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"]),
                name: first(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]),
            },
        }
    }
}

/// Adds facts from files to the pod from the cgroup path, which takes precedence.
fn merge(pod: &mut Option<Pod>, shown: Pod) {
    if pod.is_none() && shown == Pod::default() {
        return;
    }
    let pod = pod.get_or_insert_default();
    pod.uid = pod.uid.take().or(shown.uid);
    pod.namespace = shown.namespace;
    pod.name = shown.name;
}

fn name_from_logs(pod: &mut Pod, files: &Files) {
    let Some(uid) = &pod.uid else { return };
    let names = files.names(POD_LOGS);
    let name = names.iter().find_map(|name| name.strip_suffix(uid.as_str())?.strip_suffix('_'));
    if let Some((namespace, name)) = name.and_then(|name| name.split_once('_')) {
        pod.namespace = Some(namespace.to_owned());
        pod.name = Some(name.to_owned());
    }
}

pub(super) fn json<T: DeserializeOwned>(files: &Files, path: &str) -> Option<T> {
    serde_json::from_slice(&files.read(path, MAX_BYTES)?).ok()
}

#[cfg(test)]
#[path = "container_names_tests.rs"]
mod tests;
