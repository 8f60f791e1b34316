//! portbind and other tracers: how they are started, and how their output is read.

use std::path::Path;
use std::process::Command;

use crate::tool;

/// The script with which bpftrace reports refused binds.
const SCRIPT: &str = "BEGIN { printf(\"ready\\n\"); } tracepoint:syscalls:sys_exit_bind /args->ret == -98/ \
    { printf(\"refused %d\\n\", pid); }";
/// Packages of the other tools. bcc's bindsnoop is omitted: it compiles at each start, and requires a compiler's
/// library and the kernel headers in the machine.
pub(super) const PACKAGES: [&str; 6] =
    ["libbpf-tools", "bpftrace", "iproute2", "lsof", "psmisc", "net-tools"];

/// A tracer.
#[derive(Clone, Debug)]
pub(super) struct Tracer {
    /// Its name in the table.
    pub(super) name: String,
    /// The options that describe its output to a helper.
    watch: Vec<&'static str>,
    /// Its command line.
    command: Vec<String>,
}

impl Tracer {
    /// The arguments for a helper that watches the tracer.
    pub(super) fn arguments(&self) -> Vec<String> {
        let watch = self.watch.iter().map(|word| (*word).to_owned());
        watch.chain(["--".to_owned()]).chain(self.command.iter().cloned()).collect()
    }

    /// The same tracer, for helpers that provide a terminal in any case.
    pub(super) fn on_given_terminal(mut self) -> Self {
        self.watch.retain(|word| *word != "--terminal");
        self
    }

    /// portbind with a backend and an output format.
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

    /// bpftrace with [`SCRIPT`].
    pub(super) fn bpftrace() -> Self {
        let command = ["bpftrace", "-e", SCRIPT].map(str::to_owned).to_vec();
        let watch = vec!["--terminal", "--ready", "ready", "--event", "refused"];
        Self { name: "bpftrace".to_owned(), watch, command }
    }

    /// bindsnoop of libbpf-tools; it prints the name of the caller.
    pub(super) fn bindsnoop() -> Self {
        let command = ["bindsnoop", "-x"].map(str::to_owned).to_vec();
        let watch = vec!["--terminal", "--ready", "PID", "--event", "portbind-tests"];
        Self { name: "bindsnoop".to_owned(), watch, command }
    }
}

/// The packages that are needed in the virtual machine.
pub(super) const MACHINE_PACKAGES: [&str; 2] = ["libbpf-tools", "bpftrace"];

/// The installed version of each package.
pub(super) fn versions(packages: &[&str]) -> String {
    let mut cmd = Command::new("dpkg-query");
    cmd.args(["--show", "--showformat=${Package} ${Version}, "]).args(packages);
    tool::output(&mut cmd)
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim_end_matches(", ").to_owned())
}
