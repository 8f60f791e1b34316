//! Recordings that are made up, of any size: runs of a suite whose tests take the ports of one another.
//!
//! The same seed gives the same bytes. What the lines say is like what real ones say, and as long.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portbind::event::{Account, Gaps};
use portbind::wire::{
    Cause, Command, End, Error, Fix, Holder, HolderProcess, Leak, Moment, Opener, Options, Outcome, Peer,
    Process, Refusal, Relative, Release, SCHEMA, Socket, Summary, Test, Time,
};

mod people;

use people::{CASES, Case, PROGRAMS, Program};

/// Options of `portbind-tests recording`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Plan {
    /// Writes at least so many bytes.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    pub bytes: u64,
    /// How many ports are fought over.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub ports: u16,
    /// How many sockets are in the way of one call.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub holders: usize,
    /// Another seed gives another recording.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// Nanoseconds of the first refusal: 2026-11-23 12:00 UTC.
const BEGIN: i128 = 1_795_435_200_000_000_000;
/// Nanoseconds of a millisecond.
const MS: i128 = 1_000_000;
/// Refusals of one run of the suite.
const RUN: u64 = 40;

/// Writes a recording.
///
/// # Errors
///
/// Those of the writer.
pub fn write(plan: Plan, out: &mut impl Write) -> io::Result<()> {
    let mut maker = Maker { plan, begun: BEGIN, random: plan.seed.max(1), now: BEGIN, number: 0 };
    let mut written = 0;
    while written < plan.bytes {
        for line in maker.next_lines()? {
            written += line.len() as u64;
            out.write_all(&line)?;
        }
    }
    out.flush()
}

struct Maker {
    plan: Plan,
    /// When the run of the suite was started.
    begun: i128,
    random: u64,
    now: i128,
    number: u64,
}

impl Maker {
    /// The lines of one refusal.
    fn next_lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.number += 1;
        let mut lines = Vec::new();
        if self.number % RUN == 1 {
            if self.number > 1 {
                lines.extend(self.end()?);
            }
            // A pause between two runs of the suite.
            self.now += 3_600_000 * MS;
            self.begun = self.now;
            lines.push(line(&command(self.now))?);
        }
        self.now += (20 + i128::from(self.below(2000))) * MS;
        let port = 8000 + u16::try_from(self.below(u64::from(self.plan.ports.max(1)))).unwrap_or(0) * 7;
        let now = self.now;
        // Of each port the same few programs want it, again and again.
        let contested = usize::from(port) + self.small(2) * 5;
        let of = |index: usize, length: usize| index % length.max(1);
        let case = &CASES[of(contested, CASES.len())];
        let caller = &PROGRAMS[of(contested / 2, PROGRAMS.len())];
        let holder = &PROGRAMS[of(contested / 3, PROGRAMS.len())];
        let refusal = self.refusal(port, case, caller, holder);
        lines.push(line(&refusal)?);
        if self.below(4) == 0 {
            lines.push(line(&release(&refusal, now + i128::from(self.below(3000)) * MS))?);
        }
        if self.below(5) == 0 {
            lines.push(line(&outcome(&refusal, now + 1500 * MS))?);
        }
        Ok(lines)
    }

    /// The lines of the end of a run, which leaves a socket behind.
    fn end(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.now += 2000 * MS;
        let socket = self.holder(8000, &CASES[0], &PROGRAMS[1], self.now - 9000 * MS, 0);
        let (schema, kind) = (SCHEMA.into(), "leak".into());
        let leak = Leak { schema, kind, time: time(self.now), netns: 4_026_531_840, socket };
        let end = End {
            schema: SCHEMA.into(),
            kind: "end".into(),
            time: time(self.now),
            started: time(self.begun),
            exit_status: Some(1),
            signal: None,
        };
        let account = Account { refused: RUN, shown: RUN, ..Account::default() };
        let summary = Summary::new(&account, &Gaps::default(), Duration::from_secs(60));
        Ok(vec![line(&leak)?, line(&end)?, line(&summary)?])
    }

    fn refusal(&mut self, port: u16, case: &Case, caller: &Program, holder: &Program) -> Refusal<'static> {
        let bound = self.now - i128::from(300 + self.below(4000)) * MS;
        let count = u64::try_from(self.plan.holders.max(1)).unwrap_or(1);
        let holders = (0..count).map(|index| self.holder(port, case, holder, bound, index)).collect();
        Refusal {
            schema: SCHEMA.into(),
            kind: "refusal".into(),
            time: time(self.now),
            operation: "bind".into(),
            error: Error { name: Some("EADDRINUSE".into()), number: 98 },
            process: self.caller(caller),
            socket: socket(port),
            holders,
            holders_truncated: false,
            bystanders: 0,
            cause: Cause { code: case.cause.into(), summary: case.summary.into() },
            confidence: "kernel".into(),
            fixes: case.fixes.iter().map(|fix| fixed(fix, port)).collect(),
            history: vec![
                moment(bound, "bound", holder, self.number),
                moment(bound + MS, "listening", holder, self.number),
            ],
            backend: "fexit".into(),
            lost: 0,
        }
    }

    fn caller(&mut self, program: &Program) -> Process<'static> {
        let (pid, test) = (self.pid(), self.test());
        Process {
            pid,
            tid: pid,
            comm: program.comm.into(),
            exe: Some(program.exe.into()),
            args: program.args(),
            args_truncated: false,
            args_masked: false,
            uid: Some(1000),
            gid: Some(1000),
            user: Some("ci".into()),
            cgroup: Some("/user.slice/user-1000.slice/session-1.scope".into()),
            started: Some(time(self.now - 700 * MS)),
            ancestors: ancestors(),
            container: None,
            unit: None,
            test,
        }
    }

    fn holder(
        &mut self,
        port: u16,
        case: &Case,
        program: &Program,
        bound: i128,
        index: u64,
    ) -> Holder<'static> {
        let is_wait = case.state == "time_wait";
        let process = HolderProcess {
            pid: 4000 + u32::try_from(self.number % 9000).unwrap_or(0),
            comm: program.comm.into(),
            fd: Some(7),
            fds: vec![7].into(),
            exe: Some(program.exe.into()),
            args: program.args(),
            args_truncated: false,
            args_masked: false,
            uid: Some(1000),
            user: Some("ci".into()),
            cgroup: Some("/user.slice/user-1000.slice/session-1.scope".into()),
            started: Some(time(bound - 90 * MS)),
            ancestors: ancestors(),
            container: None,
            unit: None,
            test: self.test(),
        };
        let peer = Peer { address: LOCALHOST, port: 40_000 + u16::try_from(self.below(9000)).unwrap_or(0) };
        let inode = self.number * 1000 + index;
        Holder {
            state: case.state.into(),
            conflicts: true,
            protocol: "tcp".into(),
            family: "inet".into(),
            address: Some(LOCALHOST),
            port: Some(port),
            path: None,
            netlink: None,
            peer: is_wait.then_some(peer),
            interface: None,
            inode: (!is_wait).then_some(inode),
            uid: Some(1000),
            user: Some("ci".into()),
            options: Some(OPTIONS),
            ownership: if is_wait { "time_wait" } else { "process" }.into(),
            backlog: None,
            since: Some(time(bound)),
            time_wait_left_ms: is_wait.then(|| 60_000 - self.below(9000)),
            opened_by: Some(opener(program)),
            left_by: is_wait.then(|| opener(program)),
            processes: if is_wait { Vec::new() } else { vec![process] },
            more_processes: 0,
        }
    }

    fn test(&mut self) -> Option<Test<'static>> {
        let number = self.below(9);
        (number < 6).then(|| Test {
            runner: Some("pytest".into()),
            name: Some(format!("tests/test_api.py::TestServer::test_case_{number}").into()),
            worker: Some(format!("gw{}", number % 4).into()),
            pid: Some(48_000),
            ..Test::default()
        })
    }

    fn small(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap_or(0)
    }

    fn pid(&mut self) -> u32 {
        20_000 + u32::try_from(self.below(30_000)).unwrap_or(0)
    }

    /// A number below `limit`, by xorshift.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit.max(1)
    }
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OPTIONS: Options = Options { reuse_address: true, reuse_port: false, v6_only: false };

fn line(line: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

fn time(nanoseconds: i128) -> Time {
    Time(jiff::Timestamp::from_nanosecond(nanoseconds).unwrap_or_default())
}

fn command(at: i128) -> Command<'static> {
    Command {
        schema: SCHEMA.into(),
        kind: "command".into(),
        time: time(at),
        pid: 48_100,
        args: vec!["make".to_owned(), "test".to_owned()].into(),
        args_masked: false,
        uid: 1000,
        user: Some("ci".into()),
        test: None,
    }
}

fn socket(port: u16) -> Socket<'static> {
    Socket {
        family: "inet".into(),
        protocol: "tcp".into(),
        address: Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        port: Some(port),
        path: None,
        netlink: None,
        vsock: None,
        unnamed: false,
        raw: None,
        netns: 4_026_531_840,
        netns_name: None,
        interface: None,
        options: OPTIONS,
        uid: 1000,
    }
}

fn opener(program: &Program) -> Opener<'static> {
    Opener {
        pid: 4001,
        comm: program.comm.into(),
        exe: Some(program.exe.into()),
        args: program.args(),
        args_masked: false,
        uid: Some(1000),
        user: None,
        cgroup: None,
        started: None,
        ancestors: ancestors(),
        container: None,
        unit: None,
        test: None,
    }
}

fn ancestors() -> Vec<Relative<'static>> {
    [(48_100, "make"), (48_000, "bash"), (900, "Runner.Worker"), (1, "systemd")]
        .map(|(pid, comm)| Relative { pid, comm: comm.into() })
        .to_vec()
}

fn moment(at: i128, what: &'static str, program: &Program, number: u64) -> Moment<'static> {
    Moment {
        time: Some(time(at)),
        what: what.into(),
        any: false,
        address: LOCALHOST,
        peer: None,
        inode: Some(number * 1000),
        process: Some(opener(program)),
    }
}

fn fixed(fix: &(&'static str, &'static str, Option<&'static str>), port: u16) -> Fix<'static> {
    let (code, text, command) = *fix;
    let filled = |text: &str| text.replace("PORT", &port.to_string());
    Fix {
        code: code.into(),
        text: filled(text).into(),
        command: command.map(|command| filled(command).into()),
    }
}

fn release(refusal: &Refusal<'static>, at: i128) -> Release<'static> {
    let after = time(at).0.duration_since(refusal.time.0);
    Release {
        schema: SCHEMA.into(),
        kind: "release".into(),
        time: time(at),
        refused: refusal.time,
        after_ms: after.as_millis_f64(),
        process: Relative { pid: refusal.process.pid, comm: refusal.process.comm.clone() },
        socket: refusal.socket.clone(),
    }
}

fn outcome(refusal: &Refusal<'static>, at: i128) -> Outcome<'static> {
    Outcome {
        schema: SCHEMA.into(),
        kind: "outcome".into(),
        time: Some(time(at)),
        refused: refusal.time,
        process: Relative { pid: refusal.process.pid, comm: refusal.process.comm.clone() },
        lived_on_ms: 1500.0,
        exit_status: Some(0),
        signal: None,
        swallowed: true,
    }
}
