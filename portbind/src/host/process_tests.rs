use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::event::{Job, Runtime, Test};
use crate::host::clock::BootClock;

fn write(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn start(root: &Path, pid: u32, ppid: u32, comm: &[u8], ticks: u64) {
    let rest = format!(") S {ppid} 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 {ticks} 0 0");
    write(root, &format!("proc/{pid}/stat"), [format!("{pid} (").as_bytes(), comm, rest.as_bytes()].concat());
    write(root, &format!("proc/{pid}/comm"), [comm, b"\n"].concat());
}

fn setup() -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let mut host = Host::at(root.path());
    host.clock = BootClock::booted_at("2024-01-01T00:00:00Z".parse().unwrap());
    (root, host)
}

#[test]
fn describes_a_process() {
    let (root, host) = setup();
    let path = root.path();
    write(path, "etc/passwd", "web:x:33:33::/:\n");
    start(path, 1, 0, b"init", 0);
    start(path, 20, 1, b"shell", 500);
    start(path, 300, 20, b"web) S 9 (", 6000);
    write(path, "proc/300/cmdline", b"web\0--port\080\0\0");
    write(path, "proc/300/status", "Name:\tweb) S 9 (\nUid:\t33\t0\t0\t0\nGid:\t34\t0\t0\t0\n");
    let id = "0123456789abcdef".repeat(4);
    write(path, "proc/300/cgroup", format!("0::/system.slice/docker-{id}.scope\n"));
    write(path, &format!("var/lib/docker/containers/{id}/config.v2.json"), r#"{"Name":"/shop"}"#);
    write(path, "proc/300/environ", "SECRET=hunter2\0");
    write(path, "proc/20/environ", "JEST_WORKER_ID=2\0");
    symlink("/usr/bin/web (deleted)", path.join("proc/300/exe")).unwrap();
    write(path, "proc/20/cmdline", b"node\0/usr/bin/nodemon\0web.js\0");
    symlink("/usr/bin/node", path.join("proc/20/exe")).unwrap();
    let test = Test { runner: "jest", worker: Some("2".to_owned()), pid: 20, ..Test::default() };
    let expected = Process {
        is_stopped: false,
        group: Some(7),
        pid: 300,
        tid: 300,
        comm: "web) S 9 (".to_owned(),
        exe: Some("/usr/bin/web".to_owned()),
        args: ["web", "--port", "80", ""].map(str::to_owned).to_vec(),
        args_truncated: false,
        uid: Some(33),
        gid: Some(34),
        user: Some("web".to_owned()),
        cgroup: Some(format!("/system.slice/docker-{id}.scope")),
        started: Some("2024-01-01T00:01:00Z".parse().unwrap()),
        ancestors: vec![
            Ancestor { runs: Some("nodemon".to_owned()), ..Ancestor::new(20, "shell".to_owned()) },
            Ancestor::new(1, "init".to_owned()),
        ],
        unit: Some(format!("docker-{id}.scope")),
        cwd: None,
        branch: None,
        proxy_for: None,
        container: Some(Box::new(Container {
            id,
            runtime: Some(Runtime::Docker),
            name: Some("shop".to_owned()),
            pod: None,
            is_nested: false,
        })),
        job: Some(Box::new(Job { test: Some(test), ci: None })),
    };
    assert_eq!(host.describe(300), Some(expected));
}

#[test]
fn a_process_without_files_is_still_listed() {
    let (root, host) = setup();
    assert_eq!(host.describe(5), None);
    start(root.path(), 5, 0, b"a\nb\xff", 100);
    write(root.path(), "proc/5/cmdline", "");
    let process = host.describe(5).unwrap();
    assert_eq!(process.comm, "a\nb\u{fffd}");
    let rest = (process.exe, process.args.len(), process.uid, process.user, process.cgroup);
    assert_eq!(rest, (None, 0, None, None, None));
    symlink(OsStr::from_bytes(b"/bin/\xff"), root.path().join("proc/5/exe")).unwrap();
    assert_eq!(host.describe(5).unwrap().exe.as_deref(), Some("/bin/\u{fffd}"));
}

#[test]
fn sees_a_recycled_pid() {
    let (root, host) = setup();
    start(root.path(), 5, 0, b"x", 6000);
    let cases = [
        (60_000_000_000, true),
        (60_009_999_999, true),
        (60_020_000_000, true),
        (59_980_000_000, true),
        (60_020_000_001, false),
        (59_979_999_999, false),
        (0, false),
        (u64::MAX, false),
    ];
    for (ns, same) in cases {
        assert_eq!(host.describe_if_started_at(5, ns).is_some(), same, "{ns}");
    }
    assert_eq!(host.describe_if_started_at(6, 60_000_000_000), None);
}

#[test]
fn ancestors_end() {
    let (root, host) = setup();
    let chain = |pid: u32| {
        let ancestors = host.describe(pid).unwrap().ancestors;
        ancestors.into_iter().map(|ancestor| ancestor.pid).collect::<Vec<_>>()
    };
    // Stops at eight ancestors.
    for pid in 1..=20 {
        start(root.path(), pid, pid - 1, b"x", u64::from(pid));
    }
    assert_eq!(chain(20), [19, 18, 17, 16, 15, 14, 13, 12]);
    // Stops at a circle, an unknown parent, and a parent younger than its child.
    start(root.path(), 30, 31, b"x", 9);
    start(root.path(), 31, 30, b"x", 9);
    assert_eq!(chain(30), [31, 30]);
    start(root.path(), 40, 99, b"x", 9);
    assert!(chain(40).is_empty());
    start(root.path(), 50, 20, b"x", 9);
    assert!(chain(50).is_empty());
}

#[test]
fn splits_arguments() {
    let cases: [(&[u8], &[&str]); 8] = [
        (b"", &[]),
        (b"a\0", &["a"]),
        (b"a", &["a"]),
        (b"a\0\0", &["a", ""]),
        (b"\0", &[""]),
        (b"a\0b c\0\n\0", &["a", "b c", "\n"]),
        (b"nginx: master\0\0\0\0\0\0\0\0", &["nginx: master"]),
        (b"\xff\0", &["\u{fffd}"]),
    ];
    for (bytes, args) in cases {
        assert_eq!(split(bytes), (args.iter().map(|&arg| arg.to_owned()).collect(), false), "{bytes:?}");
    }
}

#[test]
fn cuts_arguments() {
    let (root, host) = setup();
    let cases = [
        (b"a\0".repeat(MAX_ARGS), MAX_ARGS, false),
        (b"a\0".repeat(MAX_ARGS + 1), MAX_ARGS, true),
        (b"x".repeat(MAX_ARG_BYTES), 1, false),
        (b"x".repeat(MAX_ARG_BYTES + 1), 1, true),
        (b"x".repeat(MAX_ARG_BYTES * 3), 1, true),
    ];
    start(root.path(), 5, 0, b"x", 1);
    for (bytes, count, cut) in cases {
        write(root.path(), "proc/5/cmdline", &bytes);
        let process = host.describe(5).unwrap();
        assert_eq!((process.args.len(), process.args_truncated), (count, cut), "{}", bytes.len());
        assert!(process.args.iter().map(String::len).sum::<usize>() <= MAX_ARG_BYTES);
    }
}

#[test]
fn finds_the_cgroup() {
    let cases = [
        ("0::/a/b\n", Some("/a/b")),
        ("0::/\n", Some("/")),
        ("0::/a:b::c\n", Some("/a:b::c")),
        ("0::/gone (deleted)\n", Some("/gone")),
        ("4:cpu,cpuacct:/x\n1:name=systemd:/user.slice\n", Some("/user.slice")),
        ("1:name=systemd:/user.slice\n0::/\n", Some("/user.slice")),
        ("1:name=systemd:/user.slice\n0::/one\n", Some("/one")),
        ("4:cpu:/x\n", None),
        ("", None),
        ("0:", None),
    ];
    for (text, path) in cases {
        assert_eq!(cgroup(text.as_bytes()).as_deref(), path, "{text:?}");
    }
}

#[test]
fn reads_ids() {
    let cases = [
        ("Name:\tUid:\\n\nUid:\t7\t8\t9\t10\nGid:\t1\t2\t3\t4\n", (Some(7), Some(1))),
        ("Uid:\t4294967295\t0\n", (Some(u32::MAX), None)),
        ("Uid:\nGid:\tx\n", (None, None)),
        ("", (None, None)),
    ];
    for (text, both) in cases {
        assert_eq!(ids(text.as_bytes()), both, "{text:?}");
    }
}

#[test]
fn describes_this_process() {
    let process = Host::new().describe(std::process::id()).unwrap();
    assert_eq!(process.exe.as_deref(), std::env::current_exe().unwrap().to_str());
    assert_eq!(process.args, std::env::args().collect::<Vec<_>>());
    assert_eq!(process.uid, Some(rustix::process::getuid().as_raw()));
    assert_eq!(process.gid, Some(rustix::process::getgid().as_raw()));
    let age = process.started.unwrap().duration_until(jiff::Timestamp::now());
    assert!((-1..3600).contains(&age.as_secs()), "{age:?}");
}

proptest! {
    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(split(&bytes));
        drop(cgroup(&bytes));
        let _ids = ids(&bytes);
    }

    #[test]
    fn keeps_plain_arguments(args in prop::collection::vec("[^\0]{1,20}", 1..20)) {
        let bytes: Vec<u8> = args.iter().flat_map(|arg| [arg.as_bytes(), b"\0"].concat()).collect();
        prop_assert_eq!(split(&bytes), (args, false));
    }
}

#[test]
fn a_process_whose_memory_cannot_be_read_is_described_without() {
    let (root, host) = setup();
    let path = root.path();
    for pid in [300, 301] {
        start(path, pid, 1, b"web", 6000);
        write(path, &format!("proc/{pid}/status"), format!("Uid:\t{pid}\t0\t0\t0\nGid:\t34\t0\t0\t0\n"));
    }
    // A reader of a FIFO waits for a writer, as a reader of `/proc` waits for a file system that does not answer.
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path.join("proc/300/cmdline"), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();
    write(path, "proc/301/cmdline", b"web\0");
    let begin = std::time::Instant::now();
    for _ in 0..50 {
        let stuck = host.describe(300).unwrap();
        assert_eq!((stuck.comm.as_str(), stuck.args.len()), ("web", 0));
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{:?}", begin.elapsed());
}
