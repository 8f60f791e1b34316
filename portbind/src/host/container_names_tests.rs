use std::fs;

use tempfile::TempDir;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const UID: &str = "0a1b2c3d-0000-4444-8888-0123456789ab";

fn root(files: &[(&str, &str)]) -> (TempDir, Files) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path.replace("ID", ID));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("ID", ID)).unwrap();
    }
    let files = Files::at(root.path());
    (root, files)
}

fn container(runtime: Option<Runtime>, uid: Option<&str>) -> Container {
    let pod = uid.map(|uid| Pod { uid: Some(uid.to_owned()), ..Pod::default() });
    Container { pod, ..Container::new(ID.to_owned(), runtime) }
}

/// Runtime, name, and namespace, name and uid of the pod.
fn described(
    mut container: Container,
    files: &[(&str, &str)],
) -> (Option<&'static str>, [Option<String>; 4]) {
    let (_root, files) = root(files);
    fill_in(&mut container, &files);
    let pod = container.pod.unwrap_or_default();
    (container.runtime.map(Runtime::as_str), [container.name, pod.namespace, pod.name, pod.uid])
}

fn some(words: [&str; 4]) -> [Option<String>; 4] {
    words.map(|word| (!word.is_empty()).then(|| word.to_owned()))
}

const DOCKER: (&str, &str) = (
    "var/lib/docker/containers/ID/config.v2.json",
    r#"{"ID":"ID","Name":"/web","Config":{"Env":["TOKEN=secret"]}}"#,
);
const CRI: (&str, &str) = (
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json",
    r#"{"annotations":{"io.kubernetes.cri.container-name":"nginx","io.kubernetes.cri.sandbox-name":"web-7d9f",
        "io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"u"}}"#,
);
const NERDCTL: (&str, &str) = (
    "run/containerd/io.containerd.runtime.v2.task/default/ID/config.json",
    r#"{"ociVersion":"1","annotations":{"nerdctl/name":"web"}}"#,
);
const CRIO: (&str, &str) = (
    "run/containers/storage/overlay-containers/ID/userdata/config.json",
    r#"{"annotations":{"io.kubernetes.container.name":"nginx","io.kubernetes.pod.name":"web-7d9f",
        "io.kubernetes.pod.namespace":"shop"}}"#,
);
const PODMAN: (&str, &str) = (
    "var/lib/containers/storage/overlay-containers/containers.json",
    r#"[{"id":"other","names":["x"]},{"id":"ID","names":["web","alias"],"layer":"l"}]"#,
);
const PODMAN_RM: (&str, &str) = (
    "run/containers/storage/overlay-containers/volatile-containers.json",
    r#"[{"id":"ID","names":["gone-later"]}]"#,
);

#[test]
fn each_runtime_names_its_own() {
    let cases = [
        (Runtime::Docker, DOCKER, ["web", "", "", ""]),
        (Runtime::Containerd, CRI, ["nginx", "shop", "web-7d9f", "u"]),
        (Runtime::Containerd, NERDCTL, ["web", "", "", ""]),
        (Runtime::CriO, CRIO, ["nginx", "shop", "web-7d9f", ""]),
        (Runtime::Podman, PODMAN, ["web", "", "", ""]),
        (Runtime::Podman, PODMAN_RM, ["gone-later", "", "", ""]),
    ];
    for (runtime, file, names) in cases {
        let expected = (Some(runtime.as_str()), some(names));
        assert_eq!(described(container(Some(runtime), None), &[file]), expected, "{file:?}");
        assert_eq!(described(container(None, None), &[file]), expected, "{file:?}");
        assert_eq!(described(container(Some(runtime), None), &[]), (expected.0, some([""; 4])));
    }
}

#[test]
fn another_runtime_is_not_believed() {
    assert_eq!(described(container(Some(Runtime::Podman), None), &[DOCKER]), (Some("podman"), some([""; 4])));
    assert_eq!(described(container(None, None), &[]), (None, some([""; 4])));
}

#[test]
fn logs_name_a_pod() {
    let log = format!("var/log/pods/shop_web-7d9f_{UID}/nginx/0.log");
    let files = [(log.as_str(), ""), ("var/log/pods/shop_other_x/n/0.log", "")];
    assert_eq!(described(container(None, Some(UID)), &files), (None, some(["", "shop", "web-7d9f", UID])));
    assert_eq!(described(container(None, Some("gone")), &files), (None, some(["", "", "", "gone"])));
    // The cgroup's uid takes precedence over the annotation's.
    let cri = (Some("containerd"), some(["nginx", "shop", "web-7d9f", UID]));
    assert_eq!(described(container(None, Some(UID)), &[CRI]), cri);
}

#[test]
fn broken_files_name_nothing() {
    for text in ["", "{", "[]", "{\"Name\":1}", "null", &"[".repeat(5000), &"x".repeat(2 << 20)] {
        let file = ("var/lib/docker/containers/ID/config.v2.json", text);
        assert_eq!(
            described(container(Some(Runtime::Docker), None), &[file]),
            (Some("docker"), some([""; 4]))
        );
    }
}
