//! Which container a proxy of a container runtime serves.
//!
//! Docker starts a `docker-proxy` for each published port (`newProxyCommand` in moby, libnetwork/portmapper), which
//! runs outside of the container. Its arguments have the container's address, and Docker's files have the container
//! with that address. Podman's conmon, which holds root's published ports, has the container's id and name in its
//! arguments (`getSharedConmonArgs` in podman, libpod/oci_conmon_common.go).

use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;

use super::container_names::{docker_config, json};
use super::files::Files;
use crate::diagnosis::program::file_name;
use crate::event::{Container, Process, Runtime};

/// The most containers that are searched for an address.
const MOST: usize = 1024;
/// Docker's folder if no setting names another one.
const DEFAULT_ROOT: &str = "var/lib/docker";
/// Docker's settings (dockerd(8)).
const SETTINGS: &str = "etc/docker/daemon.json";

/// The container that a proxy serves; `None` for other processes. `parent` returns the arguments of the proxy's parent,
/// if root runs the parent: an option of dockerd says where Docker's files are.
pub(super) fn proxy_for(
    process: &Process,
    parent: impl FnOnce() -> Option<Vec<String>>,
    files: &Files,
) -> Option<Container> {
    // A program in a container is no runtime's proxy, whatever it is called.
    let exe = process.exe.as_deref().filter(|_| process.container.is_none())?;
    match file_name(exe) {
        // Anybody may start a program of this name, with any arguments.
        "docker-proxy" if process.uid == Some(0) => {
            let address = option(&process.args, "-container-ip")?.parse().ok()?;
            with_address(&data_root(parent().as_deref(), files), address, files)
        }
        "conmon" => {
            let id = option(&process.args, "-c").or_else(|| option(&process.args, "--cid"))?;
            let name = option(&process.args, "-n").or_else(|| option(&process.args, "--name"));
            let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            let container = Container::new(id.to_owned(), Some(Runtime::Podman));
            is_id.then(|| Container { name: name.map(str::to_owned), ..container })
        }
        _ => None,
    }
}

/// The value of an option, in the next word or after `=`.
pub(super) fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(String::as_str);
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

/// Docker's folder, relative to the root folder.
fn data_root(parent: Option<&[String]>, files: &Files) -> String {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(rename = "data-root")]
        data_root: Option<String>,
    }
    let of_parent = parent.and_then(|args| option(args, "--data-root").or_else(|| option(args, "-g")));
    let of_settings = || json::<Settings>(files, SETTINGS).and_then(|settings| settings.data_root);
    let folder = of_parent.map(str::to_owned).or_else(of_settings);
    let folder = folder.filter(|folder| Path::new(folder).is_absolute());
    folder.map_or_else(|| DEFAULT_ROOT.to_owned(), |folder| folder.trim_start_matches('/').to_owned())
}

/// The running container with an address on one of Docker's networks.
fn with_address(root: &str, address: IpAddr, files: &Files) -> Option<Container> {
    let folder = format!("{root}/containers");
    files.names(&folder).into_iter().take(MOST).find_map(|id| {
        let config = docker_config(files, &format!("{folder}/{id}/config.v2.json"))?;
        let container = Container::new(id, Some(Runtime::Docker));
        config.has_address(address).then(|| Container { name: Some(config.into_name()), ..container })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ID: &str = "4f1c9d0a7be24a61b1a7c0f4f3cd4d1d6e6b8a9b0c1d2e3f405162738495a6b7";

    fn process(exe: &str, args: &[&str]) -> Process {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Process { exe: Some(exe.to_owned()), args, uid: Some(0), ..Process::default() }
    }

    #[test]
    fn a_proxy_serves_the_container_with_its_address() {
        let root = tempfile::tempdir().unwrap();
        let write = |folder: &str| {
            let folder = root.path().join(folder).join("containers").join(ID);
            fs::create_dir_all(&folder).unwrap();
            let config = r#"{"Name":"/web","State":{"Running":true},
                "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2","GlobalIPv6Address":""}}}}"#;
            fs::write(folder.join("config.v2.json"), config).unwrap();
        };
        let files = Files::at(root.path());
        let proxy = |address| {
            process("/usr/bin/docker-proxy", &["docker-proxy", "-proto", "tcp", "-container-ip", address])
        };
        let name = |process: &Process, parent: Option<&[String]>| {
            proxy_for(process, || parent.map(<[String]>::to_vec), &files).and_then(|container| container.name)
        };
        assert_eq!(name(&proxy("172.17.0.2"), None), None);
        write("srv/docker");
        let parent = ["dockerd", "--data-root=/srv/docker"].map(str::to_owned);
        assert_eq!(name(&proxy("172.17.0.2"), Some(&parent)).as_deref(), Some("web"));
        write("var/lib/docker");
        assert_eq!(name(&proxy("172.17.0.2"), None).as_deref(), Some("web"));
        assert_eq!(name(&proxy("172.17.0.3"), None), None);
        let contained = Some(Box::new(Container::new(ID.to_owned(), Some(Runtime::Docker))));
        assert_eq!(name(&Process { container: contained, ..proxy("172.17.0.2") }, None), None);
        let of_user = Process { uid: Some(1000), ..proxy("172.17.0.2") };
        assert_eq!(name(&of_user, None), None);
        assert_eq!(name(&process("/usr/bin/socat", &["socat", "-container-ip", "172.17.0.2"]), None), None);
    }

    #[test]
    fn a_monitor_names_its_container() {
        let files = Files::at(Path::new("/nonexistent"));
        let monitor = process("/usr/bin/conmon", &["conmon", "--api-version", "1", "-c", ID, "-n", "db"]);
        let container = proxy_for(&monitor, || None, &files).unwrap();
        assert_eq!((container.runtime, container.name.as_deref()), (Some(Runtime::Podman), Some("db")));
        assert_eq!(proxy_for(&process("/usr/bin/conmon", &["conmon", "-c", "x"]), || None, &files), None);
    }
}
