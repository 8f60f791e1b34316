//! SECURITY.md names every source file that opens, starts, connects to or enters something.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

#[path = "security/code.rs"]
mod code;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use code::{code, sources};
use regex::Regex;

/// Calls whose names say what they do.
const CALLS: &str = r"(?x)
    \bFile::(open|create|create_new|options)\b | \bOpenOptions\b | \bCommand::new\b | \b(UnixStream|UnixDatagram)::\w+
    | \b(TcpStream|TcpListener|UdpSocket)::\w+ | \.(exec|spawn)\(\)
    | \bfs::(read|write|copy|rename|remove|create|hard_link|metadata|symlink|canonicalize|set_perm)\w*\(
    | \brustix::fs::(open|stat|statfs|lstat|access|chmod|chown|mkdir|rename|unlink|link|symlink)\w*\(
    | \b(openat2?|statat|statx|readlinkat\w*|unlinkat|renameat\w*|mkdirat|mknodat|linkat|symlinkat|fchmod|fchown)\(
    | \b(memfd_create|pidfd_open|pidfd_send_signal|pidfd_getfd|kill_process|setns|unshare|chroot|mount)\(
    | \b(move_into_\w+|set_thread_(groups|res_\w+)|set_capabilities)\(
    | \benv::(vars?|vars?_os|args|args_os|current_dir|current_exe)\b";

/// Calls that are known only by what is imported.
const IMPORTED: &str = r"(?s)\buse\s+rustix::(fs|net)::[^;]*\b(open|stat|statfs|connect|bind)\b[^;]*;";

/// Finds texts that open, start, connect to or enter something.
struct Finder {
    calls: Regex,
    imported: Regex,
    uses: Regex,
}

impl Finder {
    fn new() -> Self {
        let uses = r"(?s)^\s*(pub(\([^)]*\))? )?use [^;]*;";
        let [calls, imported, uses] = [CALLS, IMPORTED, uses].map(|pattern| Regex::new(pattern).unwrap());
        Self { calls, imported, uses }
    }

    fn acts(&self, text: &str) -> bool {
        let rest: String = text.split_inclusive(';').filter(|part| !self.uses.is_match(part)).collect();
        self.calls.is_match(&rest) || self.imported.is_match(text)
    }
}

/// The source files that rows of a table name.
fn listed(page: &str) -> BTreeSet<String> {
    let file = Regex::new(r"`([\w/]+\.rs)`").unwrap();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    // The first two columns of a row; the others are words about it.
    let cells = rows.map(|row| row.split('|').take(2).collect::<String>());
    cells
        .flat_map(|cell| file.captures_iter(&cell).map(|found| found[1].to_owned()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_file_that_acts_has_a_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../SECURITY.md")).unwrap();
    let (named, finder) = (listed(&page), Finder::new());
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut missing = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root.join("src")).unwrap().to_str().unwrap().to_owned();
        if finder.acts(&code(&fs::read_to_string(path).unwrap())) && !named.contains(&name) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "SECURITY.md has no row that names: {missing:#?}");
    let gone: Vec<_> = named.iter().filter(|name| !root.join("src").join(name).exists()).collect();
    assert!(gone.is_empty(), "SECURITY.md names files that are not there: {gone:#?}");
}

#[test]
fn acts_are_seen() {
    let finder = Finder::new();
    for text in [
        "let file = File::open(path)?;",
        "std::fs::write(path, text)?;",
        "let text = fs::read_to_string(path)?;",
        "use rustix::fs::{Mode, OFlags, open};\nlet file = open(path, OFlags::RDONLY, Mode::empty())?;",
        "let file = rustix::fs::open(path, OFlags::RDONLY, Mode::empty())?;",
        "use rustix::net::{\n    AddressFamily, connect,\n};",
        "Command::new(program)",
        "renameat(&folder, old, &folder, new)?;",
        "setns(&file, flags)?;",
        "env::var_os(\"TZ\")",
        "let status = fs::metadata(path)?;",
    ] {
        assert!(finder.acts(text), "{text}");
    }
    for text in
        ["use std::fs::File;", "file.metadata()?", "use rustix::fs::{Mode, OFlags, fstat};", "reopen(file)"]
    {
        assert!(!finder.acts(text), "{text}");
    }
}
