//! Which container a process runs in, from the path of its cgroup.
//!
//! Runtimes name the cgroup of a container after the container's id: `docker-ID.scope`, `cri-containerd-ID.scope`,
//! `crio-ID.scope`, `libpod-ID.scope`, `nerdctl-ID.scope` where systemd makes the cgroups, and `ID` below `docker/` or
//! a pod's cgroup where the runtime makes them itself. The paths are the same in both versions of cgroups.

use crate::event::{Container, Pod, Runtime};

/// The number of hexadecimal digits of an id.
const ID: usize = 64;

/// A container as its cgroup path describes it, without names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The container.
    pub(super) container: Container,
    /// The path from the container's own cgroup down to the cgroup of the process.
    pub(super) inside: &'a str,
}

/// The innermost container of a cgroup path.
pub(super) fn place(cgroup: &str) -> Option<Place<'_>> {
    let mut rest = cgroup;
    while !rest.is_empty() {
        let (above, part) = rest.rsplit_once('/').unwrap_or(("", rest));
        let parent = above.rsplit('/').next().unwrap_or_default();
        if let Some((id, runtime)) = id(part, parent) {
            let uid = above.rsplit('/').chain([part]).find_map(pod_uid);
            let pod = uid.map(|uid| Pod { uid: Some(uid), ..Pod::default() });
            let is_nested = above.split('/').any(|part| part.ends_with(".service")) || place(above).is_some();
            let container = Container { id: id.to_owned(), runtime, name: None, pod, is_nested };
            return Some(Place { container, inside: cgroup.get(rest.len()..).unwrap_or_default() });
        }
        rest = above;
    }
    None
}

/// The id and the runtime in one part of the path.
fn id<'a>(part: &'a str, parent: &str) -> Option<(&'a str, Option<Runtime>)> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    // The runtime precedes the id; it follows a colon where containerd was configured for another cgroup driver than it
    // uses: `kubepods-podUID.slice:cri-containerd:ID`.
    let (before, id) = name.rsplit_once(['-', ':']).unwrap_or(("", name));
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != ID || !id.bytes().all(is_hex) {
        return None;
    }
    let runtime = match before.rsplit(':').next().unwrap_or_default() {
        "docker" => Some(Runtime::Docker),
        "cri-containerd" | "nerdctl" => Some(Runtime::Containerd),
        "crio" => Some(Runtime::CriO),
        "libpod" | "libpod-payload" => Some(Runtime::Podman),
        "" if parent == "docker" => Some(Runtime::Docker),
        "" => None,
        // The monitor of a container (`libpod-conmon-ID`) runs outside of the container; other names belong to no
        // container.
        _ => return None,
    };
    Some((id, runtime))
}

/// The uid of a pod: `podUID` below `kubepods`, or `kubepods-burstable-podUID.slice` with its hyphens
/// as underscores.
fn pod_uid(part: &str) -> Option<String> {
    /// The uid of a static pod is a digest of 32 digits, any other uid a UUID.
    const LENGTHS: [usize; 2] = [32, 36];
    let name = part.split(':').next()?;
    let name = name.strip_suffix(".slice").unwrap_or(name);
    let (before, uid) = name.rsplit_once("pod")?;
    let is_uid = LENGTHS.contains(&uid.len())
        && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_'));
    (is_uid && (before.is_empty() || before.ends_with('-'))).then(|| uid.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const B: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    const UID: &str = "0a1b2c3d-0000-4444-8888-0123456789ab";
    const UID_: &str = "0a1b2c3d_0000_4444_8888_0123456789ab";

    /// Id, runtime, pod and inner path of a cgroup path in which `A`, `B`, `UID` and `UID_` are placeholders.
    fn parse(path: &str) -> Option<(String, Option<&'static str>, Option<String>, String)> {
        let path = path.replace("UID_", UID_).replace("UID", UID).replace('A', A).replace('B', B);
        let Place { container, inside } = place(&path)?;
        let id = container.id.replace(A, "A").replace(B, "B");
        let pod = container.pod.map(|pod| pod.uid.unwrap().replace(UID, "UID"));
        Some((id, container.runtime.map(Runtime::as_str), pod, inside.to_owned()))
    }

    #[test]
    fn knows_the_paths_of_each_runtime() {
        let cases = [
            ("/system.slice/docker-A.scope", "docker", None, ""),
            ("/docker/A", "docker", None, ""),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-A.scope", "podman", None, ""),
            ("/machine.slice/libpod-A.scope/container", "podman", None, "/container"),
            ("/libpod_parent/libpod-A", "podman", None, ""),
            ("/system.slice/nerdctl-A.scope", "containerd", None, ""),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/cri-containerd-A.scope",
                "containerd",
                Some("UID"),
                "",
            ),
            ("/kubepods.slice/kubepods-podUID_.slice/crio-A.scope", "cri-o", Some("UID"), ""),
            (
                "/system.slice/kubepods-besteffort-podUID_.slice:cri-containerd:A",
                "containerd",
                Some("UID"),
                "",
            ),
            (
                "/docker/B/kubelet.slice/kubelet-kubepods-podUID_.slice/cri-containerd-A.scope",
                "containerd",
                Some("UID"),
                "",
            ),
            ("/docker/B/docker/A/system.slice/web.service", "docker", None, "/system.slice/web.service"),
            ("/system.slice/docker-A.scope/init.scope", "docker", None, "/init.scope"),
        ];
        for (path, runtime, pod, inside) in cases {
            let expected = ("A".to_owned(), Some(runtime), pod.map(str::to_owned), inside.to_owned());
            assert_eq!(parse(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_bare_id_does_not_show_the_runtime() {
        let pod = Some("UID".to_owned());
        assert_eq!(parse("/kubepods/burstable/podUID/A"), Some(("A".to_owned(), None, pod, String::new())));
        assert_eq!(parse("/actions_job/A"), Some(("A".to_owned(), None, None, String::new())));
    }

    #[test]
    fn cgroups_that_others_than_the_runtime_can_make_are_nested() {
        let rows = [
            ("/docker/A", false),
            ("/system.slice/docker-A.scope", false),
            ("/docker/A/init.scope", false),
            ("/docker/B/docker/A", true),
            ("/system.slice/web.service/docker/A", true),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-A.scope", true),
        ];
        for (path, expected) in rows {
            let path = path.replace('A', A).replace('B', B);
            assert_eq!(place(&path).unwrap().container.is_nested, expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_no_containers() {
        for path in [
            "",
            "/",
            "/user.slice/user-1000.slice/session-3.scope",
            "/system.slice/docker.service",
            "/machine.slice/libpod-conmon-A.scope",
            "/system.slice/build-A.service",
            "/docker/0123",
            "/docker/A0",
            "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn takes_any_path(path in "(/|-|:|\\.scope|pod|docker|[0-9a-f]{64}|\\PC){0,12}") {
            if let Some(Place { inside, .. }) = place(&path) {
                prop_assert!(path.ends_with(inside) && (inside.is_empty() || inside.starts_with('/')));
            }
        }
    }
}
