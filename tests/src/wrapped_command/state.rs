//! The state that a process inherits from its parent.

use std::fs;
use std::io::IsTerminal as _;

use anyhow::Context as _;
use portbind::sys::signals::ignored_by_caller;

use super::say::say;

/// Fields of `/proc/self/status` that are inherited, and do not depend on the process's history or size.
const FIELDS: [&str; 16] = [
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "NoNewPrivs",
    "Seccomp",
    "SigBlk",
    "SigIgn",
    "SigPnd",
    "ShdPnd",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "Cpus_allowed",
];

/// Fields of `/proc/self/stat`, numbered after the name of the process (proc_pid_stat(5)): process group, session,
/// terminal, foreground process group of the terminal, nice value, scheduling policy.
const STAT: [(usize, &str); 6] =
    [(2, "pgrp"), (3, "session"), (4, "tty"), (5, "foreground"), (16, "nice"), (38, "policy")];

/// Prints the state, one item per line.
pub(super) fn print() -> anyhow::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    for field in FIELDS {
        let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
        say(&format!("{field} {}", value.unwrap_or("unknown")))?;
    }
    // Rust's runtime ignores SIGPIPE, regardless of the caller's setting.
    say(&format!("ignored {:?}", ignored_by_caller()))?;
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, stat) = stat.rsplit_once(')').context("no name in stat")?;
    let stat: Vec<&str> = stat.split_whitespace().collect();
    for (index, name) in STAT {
        say(&format!("{name} {}", stat.get(index).context("stat is short")?))?;
    }
    for file in ["oom_score_adj", "limits", "cgroup", "timerslack_ns", "personality", "uid_map"] {
        say(&format!("{file} {}", fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default()))?;
    }
    say(&format!("folder {}", fs::read_link("/proc/self/cwd")?.display()))?;
    say(&format!("root {}", fs::read_link("/proc/self/root")?.display()))?;
    for namespace in fs::read_dir("/proc/self/ns")? {
        say(&format!("{}", fs::read_link(namespace?.path())?.display()))?;
    }
    let terminals =
        [std::io::stdin().is_terminal(), std::io::stdout().is_terminal(), std::io::stderr().is_terminal()];
    say(&format!("terminals {terminals:?}"))?;
    say(&format!("arguments {:?}", std::env::args_os().collect::<Vec<_>>()))?;
    let mut variables: Vec<_> = std::env::vars_os().collect();
    variables.sort();
    say(&format!("environment {variables:?}"))?;
    descriptors()
}

/// Every open descriptor and its target; pipes by kind, because each run has different ones.
fn descriptors() -> anyhow::Result<()> {
    let mut open: Vec<(u32, String)> = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let target = fs::read_link(entry.path())?.display().to_string();
        let kind = target.split_once(":[").map_or(target.as_str(), |(kind, _)| kind);
        // The descriptor that reads this folder.
        if !target.ends_with("/fd") {
            open.push((entry.file_name().to_string_lossy().parse()?, kind.to_owned()));
        }
    }
    open.sort();
    say(&format!("descriptors {open:?}"))
}
