//! Table of the three backends that can trace refusals.

use crate::diagnosis::rule::Generation;

/// A way to trace refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
#[non_exhaustive]
pub enum Backend {
    /// Trampolines at the return of kernel functions: sees all calls and adds no cost elsewhere.
    Fexit,
    /// Probes at entry and return of kernel functions: sees all calls.
    Kprobe,
    /// Tracepoint at the end of system calls: works where the other backends are forbidden; misses io_uring and
    /// in-kernel binds.
    Tracepoint,
}

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Trampoline at the entry of a kernel function.
    Fentry,
    /// Trampoline at the return of a kernel function.
    Fexit,
    /// Probe at the entry of a kernel function.
    Kprobe,
    /// Probe at the return of a kernel function.
    Kretprobe,
    /// Raw tracepoint.
    RawTracepoint,
    /// Raw tracepoint, through its typedef: its program reads the arguments with their types.
    TypedTracepoint,
}

/// The place where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// How the program is attached.
    pub kind: Kind,
    /// Kernel function or tracepoint.
    pub target: &'static str,
    /// Program to attach.
    pub program: &'static str,
    /// Program at the entry of the function, if the program at its return needs the saved arguments; not every one is
    /// part of the kernel half for newer kernels.
    pub entry: Option<&'static str>,
}

impl Point {
    /// Its programs, in the order of attaching: a call in progress between the two is seen by neither.
    pub(super) fn programs(&self) -> impl Iterator<Item = &'static str> + use<> {
        [Some(self.program), self.entry].into_iter().flatten()
    }
}

/// Something that a backend can observe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// What the hook shows.
    pub shows: &'static str,
    /// The backend does not work without it.
    pub essential: bool,
    /// Points to attach; the first one whose function the running kernel has is used.
    pub points: &'static [Point],
}

impl Backend {
    /// Whether the backend runs at the end of every system call on the machine, bind or not.
    #[must_use]
    pub const fn costs_every_call(self) -> bool {
        matches!(self, Self::Tracepoint)
    }

    /// All backends.
    pub const ALL: [Self; 3] = [Self::Fexit, Self::Kprobe, Self::Tracepoint];

    /// All backends, best first for a kernel.
    ///
    /// A kernel may interrupt the programs of `fexit` and `tracepoint`, and skips all runs of the same program on that
    /// CPU until the interrupted thread goes on (`__bpf_prog_enter_recur`, kernel/bpf/trampoline.c, v6.18). From 7.0
    /// on, kernels are built so that they do it (kernel/Kconfig.preempt, v7.0: no PREEMPT_VOLUNTARY): any user could
    /// hide a fifth of all refusals. Programs of `kprobe` are not interrupted.
    #[must_use]
    pub fn preferred(kernel: Generation) -> Vec<Self> {
        match kernel >= Generation::new(7, 0) {
            true => vec![Self::Kprobe, Self::Fexit, Self::Tracepoint],
            false => Self::ALL.to_vec(),
        }
    }

    /// The programs that the backend may need on any kernel.
    #[doc(hidden)]
    #[must_use]
    pub fn programs(self) -> Vec<&'static str> {
        self.hooks().iter().flat_map(|hook| hook.points).flat_map(Point::programs).collect()
    }

    /// The backend's name in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fexit => "fexit",
            Self::Kprobe => "kprobe",
            Self::Tracepoint => "tracepoint",
        }
    }

    /// The hooks that the backend attaches.
    #[doc(hidden)]
    #[must_use]
    pub const fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Fexit => FEXIT,
            Self::Kprobe => KPROBE,
            Self::Tracepoint => TRACEPOINT,
        }
    }

    /// Whether the backend reports the end of every bound socket, and not only of listeners.
    #[must_use]
    pub const fn reports_ends(self) -> bool {
        !matches!(self, Self::Tracepoint)
    }

    /// What the backend cannot see, as text.
    #[must_use]
    pub const fn blind_to(self) -> Option<&'static str> {
        match self {
            Self::Fexit | Self::Kprobe => Some("binds that BPF programs make"),
            Self::Tracepoint => Some(
                "binds by io_uring, inside the kernel, or implied by connect and send, nor the end of sockets that \
                 neither listen nor are connected",
            ),
        }
    }
}

const fn at_return(target: &'static str, program: &'static str) -> Point {
    Point { kind: Kind::Fexit, target, program, entry: None }
}

const fn at_both(target: &'static str, entry: &'static str, program: &'static str) -> Point {
    Point { kind: Kind::Kretprobe, target, program, entry: Some(entry) }
}

const fn at(kind: Kind, target: &'static str, program: &'static str) -> Point {
    Point { kind, target, program, entry: None }
}

const fn hook(shows: &'static str, points: &'static [Point]) -> Hook {
    Hook { shows, essential: true, points }
}

const fn optional(shows: &'static str, points: &'static [Point]) -> Hook {
    Hook { shows, essential: false, points }
}

/// Attach points by kernel version: since 6.6, inet_bind_sk and __inet_listen_sk are the common path; inet_bind and
/// inet_listen only wrap them, and MPTCP bypasses the wrappers (net/ipv4/af_inet.c).
///
/// Only binds by the helper bpf_bind (net/core/filter.c) bypass all of these. A hook at get_port, where the kernel
/// refuses ports, would show them, but would add cost to every successful bind.
///
/// AF_UNIX and netlink have one built-in bind function each. Other families (vsock, TIPC, RDS) are in modules, where
/// fexit cannot be attached before 5.11: the system call covers them.
const FEXIT: &[Hook] = &[
    hook(
        "bind",
        &[at_return("inet_bind_sk", "fexit_bind4_sock"), at_return("inet_bind", "fexit_bind4_socket")],
    ),
    optional(
        "bind of IPv6",
        &[at_return("inet6_bind_sk", "fexit_bind6_sock"), at_return("inet6_bind", "fexit_bind6_socket")],
    ),
    hook(
        "listen",
        &[
            at_return("__inet_listen_sk", "fexit_listen_sock"),
            at_return("inet_listen", "fexit_listen_socket"),
        ],
    ),
    hook("autobind", &[at_return("inet_autobind", "fexit_autobind")]),
    TCP_STATES,
    optional(
        "ends of sockets that neither listen nor are connected",
        &[at(Kind::Fentry, "inet_release", "fentry_release")],
    ),
    optional("bind of AF_UNIX", &[at_return("unix_bind", "fexit_unix_bind")]),
    optional("bind of netlink", &[at_return("netlink_bind", "fexit_netlink_bind")]),
    optional("bind of other families", &[at_return("__sys_bind", "fexit_system_bind")]),
];

const KPROBE: &[Hook] = &[
    hook("TCP refusals", &[at(Kind::Kretprobe, "inet_csk_get_port", "kretprobe_get_port")]),
    hook("UDP refusals", &[at(Kind::Kretprobe, "udp_v4_get_port", "kretprobe_get_port")]),
    optional("UDP refusals of IPv6", &[at(Kind::Kretprobe, "udp_v6_get_port", "kretprobe_get_port")]),
    hook(
        "bind",
        &[
            at_both("inet_bind_sk", "kprobe_bind_sock", "kretprobe_call"),
            at_both("inet_bind", "kprobe_bind_socket", "kretprobe_call"),
        ],
    ),
    optional(
        "bind of IPv6",
        &[
            at_both("inet6_bind_sk", "kprobe_bind_sock", "kretprobe_call"),
            at_both("inet6_bind", "kprobe_bind_socket", "kretprobe_call"),
        ],
    ),
    hook(
        "listen",
        &[
            at_both("__inet_listen_sk", "kprobe_listen_sock", "kretprobe_call"),
            at_both("inet_listen", "kprobe_listen_socket", "kretprobe_call"),
        ],
    ),
    hook("autobind", &[at_both("inet_autobind", "kprobe_autobind", "kretprobe_call")]),
    TCP_STATES,
    optional(
        "ends of sockets that neither listen nor are connected",
        &[at(Kind::Kprobe, "inet_release", "kprobe_release")],
    ),
    optional("bind of AF_UNIX", &[at_both("unix_bind", "kprobe_portless_bind", "kretprobe_portless_bind")]),
    optional(
        "bind of netlink",
        &[at_both("netlink_bind", "kprobe_portless_bind", "kretprobe_portless_bind")],
    ),
    optional(
        "bind of other families",
        &[at_both("__sys_bind", "kprobe_system_bind", "kretprobe_system_bind")],
    ),
];

const TRACEPOINT: &[Hook] = &[
    hook(
        "bind and listen system calls",
        &[at(Kind::TypedTracepoint, "btf_trace_sys_exit", "tracepoint_sys_exit")],
    ),
    TCP_STATES,
];

/// include/trace/events/sock.h
const TCP_STATES: Hook = optional(
    "ends of TCP sockets",
    &[at(Kind::RawTracepoint, "inet_sock_set_state", "tracepoint_set_state")],
);
