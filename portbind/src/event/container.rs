//! Containers.

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Container {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// The container runtime.
    pub runtime: Option<Runtime>,
    /// Its name, if the runtime's files have it.
    pub name: Option<String>,
    /// Its Kubernetes pod.
    pub pod: Option<Pod>,
    /// Its cgroup is below another container's or below a service's, and no process of the machine's runtime is known
    /// to have started it: whoever made the cgroup chose the id.
    pub is_nested: bool,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Its uid.
    pub uid: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A container runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Runtime {
    /// Docker.
    Docker,
    /// containerd.
    Containerd,
    /// Podman.
    Podman,
    /// CRI-O.
    CriO,
}

impl Runtime {
    /// The runtime's name in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Podman => "podman",
            Self::CriO => "cri-o",
        }
    }
}

impl Container {
    /// A container of which only the id and the runtime are known.
    #[must_use]
    pub const fn new(id: String, runtime: Option<Runtime>) -> Self {
        Self { id, runtime, name: None, pod: None, is_nested: false }
    }

    /// Whether a process of this name is started by a runtime to stay above the processes of a container.
    #[must_use]
    pub fn is_monitor(comm: &str) -> bool {
        comm == "conmon" || comm.starts_with("containerd-shim")
    }

    /// Its name, or the short form of its id that runtimes list.
    #[must_use]
    pub fn label(&self) -> &str {
        Self::label_of(self.name.as_deref(), &self.id)
    }

    /// As [`Self::label`], from a name and an id.
    #[must_use]
    pub fn label_of<'a>(name: Option<&'a str>, id: &'a str) -> &'a str {
        /// Digits of an id that `docker ps` and similar tools show.
        const SHORT: usize = 12;
        name.unwrap_or_else(|| id.get(..SHORT).unwrap_or(id))
    }
}
