//! Every error that is no taken port has its reason.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use super::Setting;
use super::support::{SOON, events, exited};
use crate::actor::{Action, Family, Protocol, SocketOption, Way};
use crate::ports::Ports;
use crate::sys::bpf;
use crate::sys::cgroup::Cgroup;
use crate::tracer::Tracer;
use crate::troupe::Troupe;

/// The label of the socket under test.
const SOCKET: &str = "socket";
/// The highest port that takes a capability, in a namespace where the setting says so.
const PRIVILEGED: u16 = 89;
/// A user without capabilities.
const NOBODY: u32 = 65_534;

/// What fails.
enum Call {
    /// A bind.
    Bind,
    /// A bind to an address on an interface.
    BindScoped(u32),
    /// A bind after this one.
    BindAfter(&'static str),
    /// A bind of a socket that listens.
    BindListener,
    /// A listen.
    Listen,
    /// A listen on a connected socket.
    ListenConnected,
    /// A bind to a port that takes a capability, without it.
    BindPrivileged,
}

/// A failing call, and what must be said of it.
struct Case {
    socket: (Family, Protocol, &'static [SocketOption]),
    call: Call,
    address: &'static str,
    error: &'static str,
    code: &'static str,
    word: &'static str,
}

/// One line of the table.
const fn case(
    socket: (Family, Protocol, &'static [SocketOption]),
    call: Call,
    address: &'static str,
    error: &'static str,
    code: &'static str,
    word: &'static str,
) -> Case {
    Case { socket, call, address, error, code, word }
}

const CASES: &[Case] = {
    use Call::{Bind, BindAfter, BindListener, BindPrivileged, BindScoped, Listen, ListenConnected};
    const TCP: (Family, Protocol, &[SocketOption]) = (Family::Inet, Protocol::Tcp, &[]);
    const UDP: (Family, Protocol, &[SocketOption]) = (Family::Inet, Protocol::Udp, &[]);
    const TCP6: (Family, Protocol, &[SocketOption]) = (Family::Inet6, Protocol::Tcp, &[]);
    const ONLY6: (Family, Protocol, &[SocketOption]) =
        (Family::Inet6, Protocol::Tcp, &[SocketOption::V6Only]);
    const UDP6: (Family, Protocol, &[SocketOption]) = (Family::Inet6, Protocol::Udp, &[]);
    &[
        case(TCP, Bind, "192.0.2.1", "EADDRNOTAVAIL", "address-not-local", "ip_nonlocal_bind"),
        case(UDP6, Bind, "2001:db8::1", "EADDRNOTAVAIL", "address-not-local", "ip_nonlocal_bind"),
        case(TCP6, Bind, "::ffff:192.0.2.1", "EADDRNOTAVAIL", "address-not-local", "ip_nonlocal_bind"),
        case(TCP, BindPrivileged, "127.0.0.1", "EACCES", "privileged-port", "below 90"),
        case(UDP6, BindPrivileged, "::1", "EACCES", "privileged-port", "below 90"),
        case(UDP, BindAfter("127.0.0.1"), "127.0.0.1", "EINVAL", "already-bound", ""),
        case(UDP6, BindAfter("::1"), "::", "EINVAL", "already-bound", ""),
        case(TCP, BindListener, "127.0.0.1", "EINVAL", "already-bound", ""),
        case(TCP, BindAfter("127.0.0.1"), "127.0.0.1", "EINVAL", "invalid-argument", "bound already, or"),
        case(TCP6, Bind, "ff02::1", "EINVAL", "multicast-on-stream", ""),
        case(ONLY6, Bind, "::ffff:127.0.0.1", "EINVAL", "mapped-on-v6only", ""),
        case(UDP6, Bind, "fe80::1", "EINVAL", "link-local-without-interface", ""),
        case(UDP6, Bind, "127.0.0.1", "EINVAL", "family-mismatch", "IPv6"),
        case(TCP, Bind, "::1", "EAFNOSUPPORT", "family-mismatch", "IPv4"),
        case(TCP6, BindScoped(987_654), "fe80::1", "ENODEV", "no-such-interface", "987654"),
        case(UDP, Listen, "127.0.0.1", "EOPNOTSUPP", "cannot-listen", ""),
        case(TCP, ListenConnected, "127.0.0.1", "EINVAL", "already-connected", ""),
    ]
};

/// Plays all of them under one portbind that tells all errors.
pub(super) fn other_errors(setting: Setting<'_>) -> anyhow::Result<()> {
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-e", "all"])?;
    let mut played = Vec::new();
    for (index, case) in CASES.iter().enumerate() {
        let mut troupe = Troupe::default();
        let mut ports = Ports::new();
        let pid = play(&mut troupe, case, ports.take()?).with_context(|| format!("case {index}"))?;
        // The actor stays until it has been described.
        tracer.stdout.wait(SOON, |lines| events(lines, pid).is_ok_and(|events| !events.is_empty()));
        played.push(pid);
    }
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    ended.account()?.check()?;
    for (index, (pid, Case { error, code, word, .. })) in played.into_iter().zip(CASES).enumerate() {
        let mut told: VecDeque<_> = events(&ended.stdout, pid)?.into();
        let Some(event) = told.pop_front().filter(|_| told.is_empty()) else {
            // What fails before it reaches a protocol is seen by none but the tracepoints.
            ensure!(told.is_empty(), "case {index}: told more than once");
            ensure!(
                *code == "cannot-listen" && setting.backend != "tracepoint",
                "case {index}: {code} is not told"
            );
            continue;
        };
        let is_right = event.error.name == *error && event.cause.code == *code;
        ensure!(is_right, "case {index}: expected {error} for {code}\n    {}", event.line);
        ensure!(event.cause.summary.contains(word), "case {index}: no word of {word}\n    {}", event.line);
    }
    Ok(())
}

/// EPERM comes from programs of the administrator only.
pub(super) fn forbidden(setting: Setting<'_>) -> anyhow::Result<()> {
    let cgroup = Cgroup::new(&format!("portbind-tests-{}", std::process::id()))?;
    bpf::forbid_binds(cgroup.open()?.as_fd())?;
    let tracer = Tracer::trace(setting.portbind, setting.backend, &["-o", "json", "-e", "eperm"])?;
    let mut troupe = Troupe::default();
    let mut ports = Ports::new();
    troupe.cast("actor", Path::new("/proc/self/exe"), &[], &[])?;
    cgroup.enter(troupe.pid("actor").context("no actor")?)?;
    let free = case((Family::Inet, Protocol::Tcp, &[]), Call::Bind, "127.0.0.1", "EPERM", "", "");
    let pid = play(&mut troupe, &free, ports.take()?)?;
    tracer.stdout.wait(SOON, |lines| events(lines, pid).is_ok_and(|events| !events.is_empty()));
    let ended = tracer.stop(Signal::INT)?;
    exited(&ended, 0)?;
    let told = events(&ended.stdout, pid)?;
    let codes: Vec<_> = told.iter().map(|event| event.cause.code.as_str()).collect();
    ensure!(codes == ["forbidden-by-program"], "told {codes:?}");
    Ok(())
}

/// Plays one; the pid of its actor.
fn play(troupe: &mut Troupe, case: &Case, port: u16) -> anyhow::Result<u32> {
    let address: IpAddr = case.address.parse()?;
    for action in before(case, address, port)? {
        if let Some(error) = troupe.tell("actor", &action)?.error {
            bail!("{action:?}: {error}");
        }
    }
    let call = match case.call {
        Call::Listen | Call::ListenConnected => listen(),
        Call::BindScoped(scope) => bind(address, port, scope),
        Call::BindPrivileged => bind(address, PRIVILEGED, 0),
        Call::Bind | Call::BindAfter(_) | Call::BindListener => bind(address, port, 0),
    };
    let answer = troupe.tell("actor", &call)?;
    ensure!(answer.error.as_deref() == Some(case.error), "expected {}, got {:?}", case.error, answer.error);
    Ok(answer.pid)
}

/// What has to be done before the call, the socket included.
fn before(case: &Case, address: IpAddr, port: u16) -> anyhow::Result<Vec<Action>> {
    let opened = socket(case, SOCKET, None);
    Ok(match case.call {
        Call::Bind | Call::BindScoped(_) => vec![opened],
        Call::BindAfter(first) => vec![opened, bind(first.parse()?, 0, 0)],
        Call::BindListener => vec![opened, bind(address, 0, 0), listen()],
        Call::Listen => vec![opened, bind(address, port, 0)],
        Call::ListenConnected => {
            let connect = Action::Connect { socket: SOCKET.to_owned(), address, port };
            vec![socket(case, "peer", Some((address, port))), opened, connect]
        }
        Call::BindPrivileged => {
            let name = "ipv4/ip_unprivileged_port_start".to_owned();
            let first = Action::Sysctl { name, value: (PRIVILEGED + 1).to_string() };
            vec![Action::NewNetns, first, opened, Action::Setuid { uid: NOBODY }]
        }
    })
}

/// A new socket, and where given the address it listens on.
fn socket(case: &Case, new: &str, listens: Option<(IpAddr, u16)>) -> Action {
    let (family, protocol, options) = case.socket;
    let (new, options) = (new.to_owned(), options.to_vec());
    let (address, port) = listens.unzip();
    Action::Socket { new, family, protocol, options, address, port, listen: listens.is_some() }
}

fn bind(address: IpAddr, port: u16, scope: u32) -> Action {
    Action::Bind { socket: SOCKET.to_owned(), address, port, scope, by: Way::Call }
}

fn listen() -> Action {
    Action::Listen { socket: SOCKET.to_owned(), by: Way::Call }
}
