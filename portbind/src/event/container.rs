//! Containers.

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Container {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// What runs it.
    pub runtime: Option<Runtime>,
    /// Its name, where the runtime's files told.
    pub name: Option<String>,
    /// The pod it is part of.
    pub pod: Option<Pod>,
}

/// A pod of Kubernetes.
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

/// What runs containers.
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
    /// The word for it in every output.
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
    /// Its name, or the start of its id as runtimes list it.
    #[must_use]
    pub fn label(&self) -> &str {
        Self::label_of(self.name.as_deref(), &self.id)
    }

    /// The same of a container that is known by its name and id only.
    #[must_use]
    pub fn label_of<'a>(name: Option<&'a str>, id: &'a str) -> &'a str {
        /// What `docker ps` and its like show.
        const SHORT: usize = 12;
        name.unwrap_or_else(|| id.get(..SHORT).unwrap_or(id))
    }
}
