//! The library leaves the program that embeds it alone: only the program portbind prints, ends, handles signals, reads
//! arguments and gives up privileges. Types that the documentation of the library shows can grow.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

#[path = "security/code.rs"]
mod code;

use std::fs;
use std::path::Path;

use code::{code, sources};
use regex::Regex;

/// The program: modules that a program that embeds portbind cannot call.
const PROGRAM: [&str; 4] = ["cli/", "main.rs", "wrapped/", "writer/"];

/// What the library never does, the calls that would do it, and the files that have such calls all the same, each with
/// what keeps these calls from the host.
const NEVER: [(&str, &str, &[&str]); 6] = [
    (
        "prints",
        r"\b(e?print(ln)?|dbg)!|\bio::(stdout|stderr)\b|\b(stdout|stderr)\(\)",
        &["ports/free/helper.rs"],
    ),
    ("ends the process", r"\bprocess::(\{[^}]*\b)?(exit|abort)\b|\blibc::(_?exit|abort|raise)\b", &[]),
    ("reads its own arguments", r"\benv::(\{[^}]*\b)?args(_os)?\b", &[]),
    (
        "installs a handler of signals",
        r"(?x)\bsignal_hook\b | \b(rt_)?sigaction\b | \bsigprocmask\b | \bSigSet\b | \bsignal::unix\b | \bsignals::
            | \bpanic::set_hook\b",
        &[
            // Called by the program alone, but for what follows.
            "sys/signals.rs",
            "sys/stop.rs",
            // Blocks signals in a thread that it starts.
            "host/patience.rs",
        ],
    ),
    (
        "gives up privileges",
        r"(?x)\bset_no_new_privs\b | \bapply_filter | \brestrict_self\b | \bset_capabilities\b | \bset_dumpable\b
            | \bremove_capability_from_bounding_set\b | \bclear_ambient_capability_set\b | \bset_keep_capabilities\b
            | \bset_thread_(groups|res_\w+|uid|gid)\b | \bset(re|res)?[ug]id\b | \bchroot\b | \bpivot_root\b
            | \bconfinement::(\{[^}]*\b)?(confine|confine_helper|fence|empty_bounding_set)\b",
        // Called by the program and its helper processes alone: the last line of the pattern finds who calls them.
        &[
            "host/confinement/capabilities.rs",
            "host/confinement/confine.rs",
            "host/confinement/fence.rs",
            "host/confinement/filter.rs",
            "host/confinement/intrusion.rs",
            "host/identity.rs",
            // In a thread of a helper process.
            "host/work_tree/server.rs",
        ],
    ),
    (
        "changes what belongs to the whole process",
        r"(?x)\bset_current_dir\b | \bf?chdir\( | \bumask\( | \bset_?rlimit\b | \bprlimit\( | \b(set|remove)_var\(
            | \bsetpriority_\w+ | \bpriority::raise\b | \bSYS_close_range\b | \binherited::
            | \bmove_into_link_name_space\b",
        &[
            // Called by the program alone.
            "host/priority.rs",
            "sys/inherited.rs",
            "sys/stack.rs",
            // A helper process, which the program starts.
            "host/broker/server.rs",
            // Enters network namespaces in a thread of its own.
            "host/netns.rs",
        ],
    ),
];

/// The names of the source files of the library, and their code.
fn library() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let named = files.iter().map(|path| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        // A list of numbers of system calls calls none of them.
        let text = code(&fs::read_to_string(path).unwrap());
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("libc::SYS_"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    });
    let files: Vec<_> =
        named.filter(|(name, _)| !PROGRAM.iter().any(|part| name.starts_with(part))).collect();
    assert!(files.len() > 100, "the library has {} files", files.len());
    files
}

#[test]
fn the_host_is_left_alone() {
    let files = library();
    let mut wrong = Vec::new();
    for (what, pattern, allowed) in NEVER {
        let pattern = Regex::new(pattern).unwrap();
        for (name, text) in &files {
            if let Some(found) = pattern.find(text)
                && !allowed.contains(&name.as_str())
            {
                wrong.push(format!("{name} {what}: {}", found.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "the library does what only the program may do:\n{}", wrong.join("\n"));
}

#[test]
fn every_exception_is_used() {
    let files = library();
    for (what, pattern, allowed) in NEVER {
        let pattern = Regex::new(pattern).unwrap();
        for exception in allowed {
            let found = files.iter().any(|(name, text)| name == exception && pattern.is_match(text));
            assert!(found, "{exception} is named for \"{what}\", and does not do that");
        }
    }
}

#[test]
fn errors_of_the_library_have_types() {
    for (name, text) in library() {
        assert!(!text.contains("anyhow"), "{name} uses anyhow");
    }
}

/// The public enums and structs with public fields that other crates could match or make exhaustively.
fn exhaustive(text: &str) -> Vec<String> {
    let item = Regex::new(r"(?m)^(.*)\n( *)pub (enum|struct) (\w+)[^;({]*\{").unwrap();
    let is_open = |found: &regex::Captures<'_>| {
        let body = &text[found.get(0).unwrap().end()..];
        let end = body.find(&format!("\n{}}}", &found[2])).unwrap_or(body.len());
        &found[3] == "enum" || body[..end].lines().any(|line| line.trim_start().starts_with("pub "))
    };
    let items =
        item.captures_iter(text).filter(|found| found[1].trim() != "#[non_exhaustive]" && is_open(found));
    items.map(|found| found[4].to_owned()).collect()
}

#[test]
fn documented_types_can_grow() {
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let lines: Vec<&str> = root.lines().collect();
    let shown = lines.windows(2).filter(|pair| pair[0] != "#[doc(hidden)]");
    let modules: Vec<&str> =
        shown.filter_map(|pair| pair[1].strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.contains(&"event") && !modules.contains(&"sys"), "{modules:?}");
    for (name, text) in library() {
        if name.split(['/', '.']).next().is_some_and(|module| modules.contains(&module)) {
            assert_eq!(exhaustive(&text), [""; 0], "{name}: these types lack #[non_exhaustive]");
        }
    }
    assert_eq!(exhaustive("#[derive(Debug)]\npub enum Kind {\n    One,\n}"), ["Kind"]);
    assert_eq!(exhaustive("\npub struct Pair<T> {\n    pub one: T,\n}"), ["Pair"]);
    assert_eq!(exhaustive("\npub struct Closed {\n    one: u8,\n}\n\npub struct Number(pub u8);"), [""; 0]);
}

#[test]
fn forbidden_calls_are_seen() {
    let is_seen =
        |text: &str| NEVER.iter().any(|(_, pattern, _)| Regex::new(pattern).unwrap().is_match(text));
    for text in [
        "println!(\"{text}\");",
        "writeln!(io::stderr(), \"{text}\")",
        "use std::process::{self, Command, exit};",
        "std::process::abort()",
        "let words = env::args_os().skip(1);",
        "use std::env::{args, var};",
        "signal_hook::flag::register(SIGINT, flag)",
        "signals::await_children()?;",
        "tokio::signal::unix::signal(kind)",
        "rustix::thread::set_no_new_privs(true)?;",
        "crate::host::confinement::confine(&purpose)?;",
        "use crate::host::confinement::{Purpose, confine};",
        "priority::raise();",
        "env::set_current_dir(\"/\")",
    ] {
        assert!(is_seen(text), "{text}");
    }
    for text in
        ["command.stdout(Stdio::null())", "env::var_os(\"TZ\")", "use std::process::Command;", "exit_status"]
    {
        assert!(!is_seen(text), "{text}");
    }
}
