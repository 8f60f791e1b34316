//! portbind and its peers: how they are started, and what they say.

use std::path::Path;
use std::process::Command;

use crate::tool;

/// The script that makes bpftrace tell refused binds.
const SCRIPT: &str = "BEGIN { printf(\"ready\\n\"); } tracepoint:syscalls:sys_exit_bind /args->ret == -98/ \
    { printf(\"refused %d\\n\", pid); }";
/// Packages that the peers come from. bcc's bindsnoop is left out: it compiles at each start, and wants a compiler's
/// library and the kernel's headers in the machine.
pub(super) const PACKAGES: [&str; 6] =
    ["libbpf-tools", "bpftrace", "iproute2", "lsof", "psmisc", "net-tools"];

/// A tracer.
#[derive(Clone, Debug)]
pub(super) struct Tracer {
    /// Its name in the table.
    pub(super) name: String,
    /// What a helper has to know of it.
    watch: Vec<&'static str>,
    /// Its command line.
    command: Vec<String>,
}

impl Tracer {
    /// The arguments of a helper that watches it.
    pub(super) fn arguments(&self) -> Vec<String> {
        let watch = self.watch.iter().map(|word| (*word).to_owned());
        watch.chain(["--".to_owned()]).chain(self.command.iter().cloned()).collect()
    }

    /// The same where the helper gives it a terminal anyway.
    pub(super) fn on_given_terminal(mut self) -> Self {
        self.watch.retain(|word| *word != "--terminal");
        self
    }

    /// Our own, with a backend and a format of output.
    pub(super) fn portbind(program: &Path, backend: &str, format: &str) -> Self {
        let command = format!("trace --backend {backend} --color never -o {format}");
        let watch = if format == "json" { vec![] } else { vec!["--event", "EADDRINUSE"] };
        let program = program.display().to_string();
        Self {
            name: format!("portbind {backend}"),
            watch,
            command: [program].into_iter().chain(command.split(' ').map(str::to_owned)).collect(),
        }
    }

    /// bpftrace with the script.
    pub(super) fn bpftrace() -> Self {
        let command = ["bpftrace", "-e", SCRIPT].map(str::to_owned).to_vec();
        let watch = vec!["--terminal", "--ready", "ready", "--event", "refused"];
        Self { name: "bpftrace".to_owned(), watch, command }
    }

    /// bindsnoop of libbpf-tools; it writes the name of who was refused.
    pub(super) fn bindsnoop() -> Self {
        let command = ["bindsnoop", "-x"].map(str::to_owned).to_vec();
        let watch = vec!["--terminal", "--ready", "PID", "--event", "portbind-tests"];
        Self { name: "bindsnoop".to_owned(), watch, command }
    }
}

/// Those of them that run in the machine.
pub(super) const MACHINE_PACKAGES: [&str; 2] = ["libbpf-tools", "bpftrace"];

/// Version of each package, which is installed.
pub(super) fn versions(packages: &[&str]) -> String {
    let mut cmd = Command::new("dpkg-query");
    cmd.args(["--show", "--showformat=${Package} ${Version}, "]).args(packages);
    tool::output(&mut cmd)
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim_end_matches(", ").to_owned())
}
