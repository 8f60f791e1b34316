use std::fs;
use std::path::Path;

use super::*;

const ID: &str = "4f1c9d0a7be24a61b1a7c0f4f3cd4d1d6e6b8a9b0c1d2e3f405162738495a6b7";

/// A machine with a process: its user, its cgroup, its executable and its arguments. This machine's files belong to
/// whoever runs the tests, so a test of root's files needs root.
fn machine(root: &Path, pid: u32, (uid, cgroup): (u32, &str), args: &[&str]) -> Host {
    let process = root.join(format!("proc/{pid}"));
    fs::create_dir_all(&process).unwrap();
    fs::write(process.join("status"), format!("Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\n"))
        .unwrap();
    fs::write(process.join("cgroup"), format!("0::{cgroup}\n")).unwrap();
    fs::write(process.join("cmdline"), format!("{}\0", args.join("\0"))).unwrap();
    std::os::unix::fs::symlink(args[0], process.join("exe")).unwrap();
    Host::at(root)
}

fn asked(host: &Host, comm: &str) -> Container {
    let mut container = Container { is_nested: true, ..Container::new(ID.to_owned(), None) };
    host.ask_monitor(&mut container, &[Ancestor::new(7, comm.to_owned())]);
    container
}

#[test]
fn the_monitor_of_podman_names_its_container() {
    let podman = "/usr/bin/podman";
    let args = ["/usr/bin/conmon", "--api-version", "1", "-c", ID, "-n", "db", "--exit-command", podman];
    let rows = [
        ((0, "/machine.slice/conmon"), "conmon", Some("db")),
        // Another user's monitor, one in a container, and a process with another name.
        ((1000, "/machine.slice/conmon"), "conmon", None),
        ((0, &*format!("/docker/{ID}")), "conmon", None),
        ((0, "/machine.slice/conmon"), "bash", None),
    ];
    for (owner, comm, expected) in rows {
        let root = tempfile::tempdir().unwrap();
        let shown = asked(&machine(root.path(), 7, owner, &args), comm);
        assert_eq!(
            (shown.name.as_deref(), shown.is_nested),
            (expected, expected.is_none()),
            "{owner:?} {comm}"
        );
    }
    let root = tempfile::tempdir().unwrap();
    let above = [Ancestor::new(7, "conmon".to_owned())];
    let below = machine(root.path(), 7, (0, "/"), &args).container_below(&above).unwrap();
    assert_eq!((below.id.as_str(), below.runtime, below.label()), (ID, Some(Runtime::Podman), "db"));
    let root = tempfile::tempdir().unwrap();
    let other = ["/usr/bin/conmon", "-c", &"0".repeat(64), "-n", "db"];
    assert_eq!(asked(&machine(root.path(), 7, (0, "/"), &other), "conmon").name, None);
}

#[test]
fn the_shim_of_docker_leads_to_the_container_wherever_its_files_are() {
    let root = tempfile::tempdir().unwrap();
    let shim = [
        "/usr/bin/containerd-shim-runc-v2",
        "-namespace",
        "moby",
        "-id",
        ID,
        "-address",
        "/x/containerd.sock",
    ];
    let host = machine(root.path(), 7, (0, "/system.slice/docker.service"), &shim);
    let (cwd, folder) = (root.path().join("proc/7/cwd"), format!("srv/data/containers/{ID}"));
    fs::create_dir_all(&cwd).unwrap();
    fs::create_dir_all(root.path().join("proc/7/root").join(&folder)).unwrap();
    let mounts = format!(
        r#"{{"mounts": [{{"destination": "/data", "source": "/home/x/containers"}},
            {{"destination": "/etc/hosts", "source": "/{folder}/hosts"}}, {{"destination": "/proc"}}]}}"#
    );
    fs::write(cwd.join("config.json"), mounts).unwrap();
    let config = root.path().join("proc/7/root").join(&folder).join("config.v2.json");
    fs::write(&config, format!(r#"{{"ID": "{ID}", "Name": "/web"}}"#)).unwrap();
    let shown = asked(&host, "containerd-shim");
    // Only files of root are believed.
    let expected = rustix::process::geteuid().is_root().then_some("web");
    assert_eq!((shown.name.as_deref(), shown.runtime), (expected, Some(Runtime::Docker)));
    fs::write(config, r#"{"ID": "0", "Name": "/other"}"#).unwrap();
    assert_eq!(asked(&host, "containerd-shim").name, None);
}
