//! A process that has a holder open all the time is reported with each refusal, whatever else it does.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use portbind::kernel::sockets::OpenSockets;
use portbind::kernel::tracer::load_open_sockets;
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Resource, Signal, getrlimit};

use super::history::has_listener;
use super::setting::Setting;
use super::support::{PATIENCE, SOON, events, exited};
use crate::churn::Churn;
use crate::event::{Event, Holder};
use crate::ports::Ports;
use crate::tracer::Tracer;

/// Processes that change continuously.
const CHURNS: usize = 64;
/// How often each of their ports is refused on one address and on all, per portbind.
const ROUNDS: usize = 4;
/// Number of scans of all their sockets.
const LOOKS: u32 = 200;
/// Copies of a socket; the iterator returns pages of 32 KiB, or 1,365 sockets (bpf_seq_read, kernel/bpf/bpf_iter.c).
const COPIES: u64 = 2_000;
/// Longer than portbind reuses an answer.
const STALE: Duration = Duration::from_millis(80);

/// Ports that are taken on 127.0.0.1 by a process that changes continuously, and on 127.0.0.2 by this process.
struct Crowd {
    churns: Vec<(Churn, OwnedFd)>,
    _ports: Ports,
}

impl Crowd {
    fn new(count: usize) -> anyhow::Result<Self> {
        let mut ports = Ports::new();
        let mut churns = Vec::new();
        for _ in 0..count {
            let port = ports.take()?;
            let bystander = tcp()?;
            bind(&bystander, &SocketAddr::from(([127, 0, 0, 2], port)))?;
            listen(&bystander, 1)?;
            churns.push((Churn::start(port)?, bystander));
        }
        for (churn, _) in &churns {
            churn.begin()?;
        }
        Ok(Self { churns, _ports: ports })
    }

    /// Binds each port on this address as fast as possible, and is refused; returns the number of refusals.
    fn refuse(&self, address: Ipv4Addr) -> anyhow::Result<usize> {
        let asking = tcp()?;
        for (churn, _) in &self.churns {
            let outcome = bind(&asking, &SocketAddr::from((address, churn.port)));
            ensure!(outcome == Err(Errno::ADDRINUSE), "port {}: {outcome:?}", churn.port);
        }
        Ok(self.churns.len())
    }

    /// The owner of each socket for the whole time, by inode.
    fn owners(&mut self) -> anyhow::Result<BTreeMap<u64, u32>> {
        let mut owners = BTreeMap::new();
        for (churn, bystander) in &mut self.churns {
            ensure!(churn.is_alive(), "the process on port {} has ended", churn.port);
            owners.insert(churn.inode, churn.pid());
            owners.insert(fstat(&*bystander)?.st_ino, std::process::id());
        }
        Ok(owners)
    }
}

/// The lines of refusals in which a holder lacks its owner.
fn missing(shown: &[Event], owners: &BTreeMap<u64, u32>) -> Vec<String> {
    let lacks = |holder: &Holder| {
        let owner = holder.inode.and_then(|inode| owners.get(&inode));
        owner.is_some_and(|&pid| holder.processes.iter().all(|process| process.pid != pid))
    };
    let lacking = shown.iter().filter(|event| event.holders.iter().any(lacks));
    lacking.map(|event| event.line.clone()).collect()
}

impl Drop for Crowd {
    /// Signals all processes before it waits for one: running processes would slow down the ending ones.
    fn drop(&mut self) {
        self.churns.iter_mut().for_each(|(churn, _)| churn.end());
    }
}

/// Ports are refused on one address, and then on all addresses, while portbind lags behind: the answers for the first
/// holders are reused for the second refusals, together with new answers. No owner is omitted.
pub(super) fn are_shown_under_load(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut all, mut lacking, mut passed_over) = (0, Vec::new(), 0);
    for _ in 0..setting.times {
        let tracer = trace(setting)?;
        // The trace sees their binds, so no refusal has to wait for owners.
        let mut crowd = Crowd::new(CHURNS)?;
        let mut refused = 0;
        for _ in 0..ROUNDS {
            refused += crowd.refuse(Ipv4Addr::LOCALHOST)?;
            refused += crowd.refuse(Ipv4Addr::UNSPECIFIED)?;
            // A kernel may miss some refusals (7.3); the summary is checked at the end.
            tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused);
        }
        let owners = crowd.owners()?;
        drop(crowd);
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        let shown = events(&ended.stdout, std::process::id())?;
        passed_over += ended.passed_over();
        ensure!(shown.len() + usize::try_from(passed_over)? >= refused, "{} of {refused} shown", shown.len());
        lacking.extend(missing(&shown, &owners));
        all += shown.len();
    }
    ensure!(all > 0, "nothing was shown");
    let (count, first) = (lacking.len(), lacking.first().map_or("", String::as_str));
    ensure!(count == 0, "of {all} refusals {count} lack a process:\n{first}");
    println!("{}: owners in {all} refusals, {passed_over} passed over", setting.backend);
    Ok(())
}

/// A refusal that waits until answers expire still uses an old one, together with a new one.
pub(super) fn are_shown_late(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = trace(setting)?;
    // The trace sees their binds, so no refusal has to wait for owners.
    let mut crowd = Crowd::new(1)?;
    let mut refused = 0;
    // The second refusal must come before the first answer expires, which may fail on a busy machine.
    for _ in 0..ROUNDS {
        refused += crowd.refuse(Ipv4Addr::LOCALHOST)?;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not shown");
        tracer.pause()?;
        refused += crowd.refuse(Ipv4Addr::UNSPECIFIED)?;
        thread::sleep(STALE);
        tracer.signal(Signal::CONT)?;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not shown");
        // The next round starts without any answer.
        thread::sleep(STALE);
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let shown = events(&ended.stdout, std::process::id())?;
    let lacking = missing(&shown, &crowd.owners()?);
    ensure!(lacking.is_empty(), "of {} refusals {} lack a process", shown.len(), lacking.len());
    Ok(())
}

/// A scan of all processes finds each process that changes continuously.
pub(super) fn are_walked_by_the_kernel(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut crowd = Crowd::new(CHURNS)?;
    let open_sockets = load_open_sockets()?;
    let inodes: HashSet<u64> = crowd.churns.iter().map(|(churn, _)| churn.inode).collect();
    let (mut once, mut twice) = (0, Vec::new());
    let looks = LOOKS * setting.times;
    for look in 0..looks {
        // Like portbind, searches again for sockets that the first scan missed.
        let missing = lacking(&open_sockets, &crowd, &inodes)?;
        once += missing.len();
        if !missing.is_empty() {
            twice.extend(lacking(&open_sockets, &crowd, &missing)?.into_iter().map(|inode| (look, inode)));
        }
    }
    ensure!(crowd.churns.iter_mut().all(|(churn, _)| churn.is_alive()), "one of them has ended");
    println!("{once} processes were passed over in {looks} looks at {CHURNS}, {} of them twice", twice.len());
    ensure!(twice.is_empty(), "passed over twice in {looks} looks at {CHURNS}: {twice:?}");
    Ok(())
}

/// The sockets whose process a scan does not find.
fn lacking(open_sockets: &OpenSockets, crowd: &Crowd, inodes: &HashSet<u64>) -> anyhow::Result<HashSet<u64>> {
    let open = open_sockets.of(inodes)?;
    let found: BTreeSet<(u64, u32)> = open.iter().map(|socket| (socket.inode, socket.pid)).collect();
    let asked = crowd.churns.iter().map(|(churn, _)| churn).filter(|churn| inodes.contains(&churn.inode));
    Ok(asked.filter(|churn| !found.contains(&(churn.inode, churn.pid()))).map(|churn| churn.inode).collect())
}

/// A process with more copies of a socket than fit in a page of the iterator is reported with all of them, and its
/// sockets are known from before the trace.
pub(super) fn are_shown_with_many_copies(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ports = Ports::new();
    let port = ports.take()?;
    let socket = tcp()?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    // Descriptors of portbind and of the rest of this process are added.
    let allowed = getrlimit(Resource::Nofile).current;
    if allowed.is_some_and(|allowed| allowed < COPIES + 100) {
        setting
            .skipped
            .note("all of it", &format!("{COPIES} files cannot be open here: `ulimit -n` is too low"));
        return Ok(());
    }
    let _copies = (0..COPIES).map(|_| rustix::io::dup(&socket)).collect::<Result<Vec<_>, _>>()?;
    listen(&socket, 1)?;
    let tracer = trace(setting)?;
    let asking = tcp()?;
    // Sockets from before the trace are read process by process, while refusals are shown.
    let begun = Instant::now();
    let mut refused = 0;
    while !has_listener(&tracer.stdout.so_far(), std::process::id())? {
        ensure!(begun.elapsed() < SOON, "it listened before tracing, but that is not shown");
        let outcome = bind(&asking, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        ensure!(outcome == Err(Errno::ADDRINUSE), "{outcome:?}");
        refused += 1;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not shown");
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let shown = events(&ended.stdout, std::process::id())?;
    let holder = shown.last().and_then(|event| event.holders.first()).context("no holder")?;
    ensure!(holder.processes.iter().any(|process| process.pid == std::process::id()), "{holder:?}");
    Ok(())
}

/// Traces the refusals of this process.
fn trace(setting: Setting<'_>) -> anyhow::Result<Tracer> {
    let pid = std::process::id().to_string();
    Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-p", &pid])
}

/// The number of reported refusals.
fn refusals(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains(r#""kind":"refusal""#)).count()
}

fn tcp() -> anyhow::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}
