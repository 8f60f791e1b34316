//! `/init` of the virtual machine for the tests: sets it up, runs the tests, and powers it off.
#![expect(clippy::print_stdout, reason = "the console is all there is to report on")]

use std::ffi::CStr;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use portbind_tests::sys;
use portbind_tests::tracer::Tracer;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use rustix::system::{RebootCommand, finit_module, reboot};

/// File system types and mount points. tracefs is missing on purpose: portbind must work without it.
const MOUNTS: [(&str, &str); 7] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
    ("cgroup2", "/sys/fs/cgroup"),
];
/// Open files of one process.
const FILES: u64 = 65_536;
/// The portbind under test.
const PORTBIND: &str = "/bin/portbind";
/// All backends.
const BACKENDS: [&str; 3] = ["fexit", "kprobe", "tracepoint"];

fn main() {
    let verdict = match run() {
        Ok(()) => "success",
        Err(error) => {
            println!("portbind-init: {error:#}");
            "failure"
        }
    };
    println!("portbind-init: {verdict}");
    let _flushed = std::io::stdout().flush();
    if std::process::id() == 1 {
        rustix::fs::sync();
        if let Err(error) = reboot(RebootCommand::PowerOff) {
            println!("portbind-init: cannot power off: {error}");
        }
    }
}

/// Everything between boot and result.
fn run() -> anyhow::Result<()> {
    ensure!(std::process::id() == 1, "this is the init of a test machine and must be its first process");
    for (kind, place) in MOUNTS {
        fs::create_dir_all(place).with_context(|| format!("cannot create {place}"))?;
        mount(kind, place, kind, MountFlags::empty(), None::<&CStr>)
            .with_context(|| format!("cannot mount {kind} on {place}"))?;
    }
    load_modules()?;
    sys::net::loopback_up().context("cannot bring the loopback up")?;
    setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum: Some(FILES) })?;
    let arguments = fs::read_to_string("/args").unwrap_or_default();
    let arguments: Vec<&str> = arguments.lines().filter(|line| !line.is_empty()).collect();
    let mut tests = Command::new("/bin/portbind-tests");
    tests.current_dir("/tmp");
    if arguments.first() == Some(&"rule") {
        return finish(tests.args(&arguments));
    }
    if arguments.first() == Some(&"soak") {
        return finish(tests.args(&arguments).args(["--portbind", PORTBIND]));
    }
    if arguments.first() == Some(&"bench") {
        mount("tracefs", "/sys/kernel/tracing", "tracefs", MountFlags::empty(), None::<&CStr>)?;
        mount("debugfs", "/sys/kernel/debug", "debugfs", MountFlags::empty(), None::<&CStr>)?;
        let path = "/usr/sbin:/usr/bin:/sbin:/bin";
        return finish(Command::new("/bin/xtask").current_dir("/tmp").args(&arguments).env("PATH", path));
    }
    if Path::new(PORTBIND).exists() && !arguments.contains(&"--without-portbind") {
        gate(&arguments)?;
    }
    tests.args(["--scenarios", "/scenarios"]).args(&arguments);
    if !arguments.contains(&"--without-portbind") {
        tests.args(["--portbind", PORTBIND]);
    }
    finish(&mut tests)
}

/// Runs the tests until they end.
fn finish(tests: &mut Command) -> anyhow::Result<()> {
    let status = tests.status().context("cannot start the tests")?;
    ensure!(status.success(), "the tests ended with {status}");
    Ok(())
}

/// Loads the modules of the machine in the order of their numbers. A dependency may be built into one kernel, and in
/// another kernel be a module that is not in the list: then the module is not loaded, and the scenarios that need it
/// are skipped.
fn load_modules() -> anyhow::Result<()> {
    let entries = fs::read_dir("/modules").context("cannot list /modules")?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    let number = |path: &Path| -> Option<u32> { path.file_name()?.to_str()?.split_once('-')?.0.parse().ok() };
    paths.sort_by_key(|path| number(path));
    for path in paths {
        let module = fs::File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        if let Err(error) = finit_module(&module, c"", 0) {
            println!("portbind-init: {} is not loaded: {error}", path.display());
        }
    }
    Ok(())
}

/// The first check: each backend under test loads and attaches.
fn gate(arguments: &[&str]) -> anyhow::Result<()> {
    let doctor = Command::new(PORTBIND).args(["doctor", "-o", "json"]).output()?;
    println!("{}", String::from_utf8_lossy(&doctor.stdout));
    println!("{}", String::from_utf8_lossy(&doctor.stderr));
    let chosen: Vec<&str> =
        arguments.windows(2).filter(|pair| pair[0] == "--backend").map(|pair| pair[1]).collect();
    let mut complaints = Vec::new();
    for backend in if chosen.is_empty() { BACKENDS.to_vec() } else { chosen } {
        let ended = Tracer::trace(Path::new(PORTBIND), backend, &["-o", "json"])
            .and_then(|tracer| tracer.stop(Signal::INT));
        match ended {
            Ok(ended) if ended.status.success() => println!("portbind-init: {backend} loads and attaches"),
            Ok(ended) => complaints.push(format!("{backend} ended with {}", ended.status)),
            Err(error) => complaints.push(format!("{backend}: {error:#}")),
        }
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}
