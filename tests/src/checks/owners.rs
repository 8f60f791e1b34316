//! A process that has a holder open all the time is named with each refusal, whatever it does otherwise.

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

/// Processes that change all the time.
const CHURNS: usize = 64;
/// How often each of their ports is refused at one address and at all, by one portbind.
const ROUNDS: usize = 4;
/// Looks at all of their sockets.
const LOOKS: u32 = 200;
/// Copies of a socket; the iterator hands out pages of 32 KiB, or 1,365 sockets (bpf_seq_read, kernel/bpf/bpf_iter.c).
const COPIES: u64 = 2_000;
/// Longer than portbind believes an answer.
const STALE: Duration = Duration::from_millis(80);

/// Ports that are taken at 127.0.0.1 by a process that changes all the time, and at 127.0.0.2 by this one.
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

    /// Has each port refused at this address, as fast as it goes; how often.
    fn refuse(&self, address: Ipv4Addr) -> anyhow::Result<usize> {
        let asking = tcp()?;
        for (churn, _) in &self.churns {
            let outcome = bind(&asking, &SocketAddr::from((address, churn.port)));
            ensure!(outcome == Err(Errno::ADDRINUSE), "port {}: {outcome:?}", churn.port);
        }
        Ok(self.churns.len())
    }

    /// Who has had which socket open all the time, by inode.
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

/// The lines of refusals in which a holder lacks the process that has it open.
fn missing(told: &[Event], owners: &BTreeMap<u64, u32>) -> Vec<String> {
    let lacks = |holder: &Holder| {
        let owner = holder.inode.and_then(|inode| owners.get(&inode));
        owner.is_some_and(|&pid| holder.processes.iter().all(|process| process.pid != pid))
    };
    let lacking = told.iter().filter(|event| event.holders.iter().any(lacks));
    lacking.map(|event| event.line.clone()).collect()
}

impl Drop for Crowd {
    /// Ends all of them before one is waited for: those that go on would take the time of those that are to end.
    fn drop(&mut self) {
        self.churns.iter_mut().for_each(|(churn, _)| churn.end());
    }
}

/// Has ports refused at one address, and then at all addresses, while portbind is behind: the answers for the first
/// holders are used again for the second refusals, beside new ones. None of them is left out.
pub(super) fn are_shown_under_load(setting: Setting<'_>) -> anyhow::Result<()> {
    let (mut all, mut lacking, mut passed_over) = (0, Vec::new(), 0);
    for _ in 0..setting.times {
        let tracer = trace(setting)?;
        // Their binds are seen, so that no refusal waits to learn of them.
        let mut crowd = Crowd::new(CHURNS)?;
        let mut refused = 0;
        for _ in 0..ROUNDS {
            refused += crowd.refuse(Ipv4Addr::LOCALHOST)?;
            refused += crowd.refuse(Ipv4Addr::UNSPECIFIED)?;
            // A kernel may pass some over (7.3): the account is looked at in the end.
            tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused);
        }
        let owners = crowd.owners()?;
        drop(crowd);
        let ended = tracer.stop(Signal::INT)?;
        exited(&ended, 0)?;
        let told = events(&ended.stdout, std::process::id())?;
        passed_over += ended.passed_over();
        ensure!(told.len() + usize::try_from(passed_over)? >= refused, "{} of {refused} told", told.len());
        lacking.extend(missing(&told, &owners));
        all += told.len();
    }
    ensure!(all > 0, "nothing was told");
    let (count, first) = (lacking.len(), lacking.first().map_or("", String::as_str));
    ensure!(count == 0, "of {all} refusals {count} lack a process:\n{first}");
    println!("{}: owners in {all} refusals, {passed_over} passed over", setting.backend);
    Ok(())
}

/// A refusal that waits until answers are old uses one of them still, beside a new one.
pub(super) fn are_shown_late(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = trace(setting)?;
    // Their binds are seen, so that no refusal waits to learn of them.
    let mut crowd = Crowd::new(1)?;
    let mut refused = 0;
    // The second refusal has to come before the answer for the first is old: on a busy machine not each time.
    for _ in 0..ROUNDS {
        refused += crowd.refuse(Ipv4Addr::LOCALHOST)?;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not told");
        tracer.pause()?;
        refused += crowd.refuse(Ipv4Addr::UNSPECIFIED)?;
        thread::sleep(STALE);
        tracer.signal(Signal::CONT)?;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not told");
        // The next round begins without any answer.
        thread::sleep(STALE);
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let told = events(&ended.stdout, std::process::id())?;
    let lacking = missing(&told, &crowd.owners()?);
    ensure!(lacking.is_empty(), "of {} refusals {} lack a process", told.len(), lacking.len());
    Ok(())
}

/// A look through all processes finds each of those that change all the time.
pub(super) fn are_walked_by_the_kernel(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut crowd = Crowd::new(CHURNS)?;
    let open_sockets = load_open_sockets()?;
    let inodes: HashSet<u64> = crowd.churns.iter().map(|(churn, _)| churn.inode).collect();
    let (mut once, mut twice) = (0, Vec::new());
    let looks = LOOKS * setting.times;
    for look in 0..looks {
        // As portbind does: what the first look passes over is looked for again.
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

/// The sockets among these whose process a look does not find.
fn lacking(open_sockets: &OpenSockets, crowd: &Crowd, inodes: &HashSet<u64>) -> anyhow::Result<HashSet<u64>> {
    let open = open_sockets.of(inodes)?;
    let found: BTreeSet<(u64, u32)> = open.iter().map(|socket| (socket.inode, socket.pid)).collect();
    let asked = crowd.churns.iter().map(|(churn, _)| churn).filter(|churn| inodes.contains(&churn.inode));
    Ok(asked.filter(|churn| !found.contains(&(churn.inode, churn.pid()))).map(|churn| churn.inode).collect())
}

/// A process with more copies of a socket than a page of the iterator takes is told with all of them, and what it has
/// is known from before tracing.
pub(super) fn are_shown_with_many_copies(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut ports = Ports::new();
    let port = ports.take()?;
    let socket = tcp()?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    // What portbind and the rest of this process have open comes on top.
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
    // What there was before tracing is learned process by process, while refusals are shown.
    let begun = Instant::now();
    let mut refused = 0;
    while !has_listener(&tracer.stdout.so_far(), std::process::id())? {
        ensure!(begun.elapsed() < SOON, "it listened before tracing, but that is not told");
        let outcome = bind(&asking, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        ensure!(outcome == Err(Errno::ADDRINUSE), "{outcome:?}");
        refused += 1;
        ensure!(tracer.stdout.wait(PATIENCE, |lines| refusals(lines) >= refused), "not told");
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let told = events(&ended.stdout, std::process::id())?;
    let holder = told.last().and_then(|event| event.holders.first()).context("no holder")?;
    ensure!(holder.processes.iter().any(|process| process.pid == std::process::id()), "{holder:?}");
    Ok(())
}

/// Traces what this process is refused.
fn trace(setting: Setting<'_>) -> anyhow::Result<Tracer> {
    let pid = std::process::id().to_string();
    Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-p", &pid])
}

/// How many refusals are told.
fn refusals(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains(r#""kind":"refusal""#)).count()
}

fn tcp() -> anyhow::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}
