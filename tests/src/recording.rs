//! Made-up recordings of any size: runs of a suite whose tests take each other's ports.
//!
//! The same seed gives the same bytes. The lines resemble real ones in content and length.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use portbind::event::{Account, Gaps};
use portbind::wire::{Command, End, Leak, Outcome, Refusal, Release, SCHEMA, Summary, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod people;

use people::{CASES, Case, PROGRAMS, Program};

/// Options of `portbind-tests recording`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Plan {
    /// Writes at least this many bytes.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    pub bytes: u64,
    /// Number of contested ports.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub ports: u16,
    /// Number of holders in the way of one call.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub holders: usize,
    /// Seed: another seed gives another recording.
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
/// The errors of the writer.
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
    /// The start of the suite's run.
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
            lines.push(line(&command(self.now)?)?);
        }
        self.now += (20 + i128::from(self.below(2000))) * MS;
        let port = 8000 + u16::try_from(self.below(u64::from(self.plan.ports.max(1)))).unwrap_or(0) * 7;
        let now = self.now;
        // The same few programs want a port again and again.
        let contested = usize::from(port) + self.small(2) * 5;
        let of = |index: usize, length: usize| index % length.max(1);
        let case = &CASES[of(contested, CASES.len())];
        let caller = &PROGRAMS[of(contested / 2, PROGRAMS.len())];
        let holder = &PROGRAMS[of(contested / 3, PROGRAMS.len())];
        let refusal = self.refusal(port, case, caller, holder)?;
        lines.push(line(&refusal)?);
        if self.below(4) == 0 {
            lines.push(line(&release(&refusal, now + i128::from(self.below(3000)) * MS)?)?);
        }
        if self.below(5) == 0 {
            lines.push(line(&outcome(&refusal, now + 1500 * MS)?)?);
        }
        Ok(lines)
    }

    /// The lines at the end of a run, which leaks a socket.
    fn end(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.now += 2000 * MS;
        let socket = self.holder(8000, &CASES[0], &PROGRAMS[1], self.now - 9000 * MS, 0);
        let leak = json!({
            "schema": SCHEMA,
            "kind": "leak",
            "time": time(self.now),
            "netns": 4_026_531_840_u32,
            "socket": socket,
        });
        let end = json!({
            "schema": SCHEMA,
            "kind": "end",
            "time": time(self.now),
            "started": time(self.begun),
            "exit_status": 1,
            "signal": null,
        });
        let mut account = Account::default();
        (account.refused, account.shown) = (RUN, RUN);
        let summary = Summary::new(&account, &Gaps::default(), Duration::from_secs(60));
        Ok(vec![line(&made::<Leak<'_>>(leak)?)?, line(&made::<End<'_>>(end)?)?, line(&summary)?])
    }

    fn refusal(
        &mut self,
        port: u16,
        case: &Case,
        caller: &Program,
        holder: &Program,
    ) -> io::Result<Refusal<'static>> {
        let bound = self.now - i128::from(300 + self.below(4000)) * MS;
        let count = u64::try_from(self.plan.holders.max(1)).unwrap_or(1);
        let holders: Vec<Value> =
            (0..count).map(|index| self.holder(port, case, holder, bound, index)).collect();
        made(json!({
            "schema": SCHEMA,
            "kind": "refusal",
            "time": time(self.now),
            "operation": "bind",
            "error": { "name": "EADDRINUSE", "number": 98 },
            "process": self.caller(caller),
            "socket": socket(port),
            "holders": holders,
            "holders_truncated": false,
            "bystanders": 0,
            "cause": { "code": case.cause, "summary": case.summary },
            "confidence": "kernel",
            "fixes": case.fixes.iter().map(|fix| fixed(fix, port)).collect::<Vec<_>>(),
            "history": [
                moment(bound, "bound", holder, self.number),
                moment(bound + MS, "listening", holder, self.number),
            ],
            "backend": "fexit",
            "lost": 0,
        }))
    }

    fn caller(&mut self, program: &Program) -> Value {
        let (pid, test) = (self.pid(), self.test());
        json!({
            "pid": pid,
            "tid": pid,
            "comm": program.comm,
            "exe": program.exe,
            "args": program.args(),
            "args_truncated": false,
            "args_masked": false,
            "uid": 1000,
            "gid": 1000,
            "user": "ci",
            "cgroup": "/user.slice/user-1000.slice/session-1.scope",
            "started": time(self.now - 700 * MS),
            "ancestors": ancestors(),
            "container": null,
            "unit": null,
            "test": test,
        })
    }

    fn holder(&mut self, port: u16, case: &Case, program: &Program, bound: i128, index: u64) -> Value {
        let is_wait = case.state == "time_wait";
        let process = json!({
            "pid": 4000 + u32::try_from(self.number % 9000).unwrap_or(0),
            "comm": program.comm,
            "fd": 7,
            "fds": [7],
            "exe": program.exe,
            "args": program.args(),
            "args_truncated": false,
            "args_masked": false,
            "uid": 1000,
            "user": "ci",
            "cgroup": "/user.slice/user-1000.slice/session-1.scope",
            "started": time(bound - 90 * MS),
            "ancestors": ancestors(),
            "container": null,
            "unit": null,
            "test": self.test(),
        });
        let peer = json!({ "address": LOCALHOST, "port": 40_000 + self.below(9000) });
        let inode = self.number * 1000 + index;
        json!({
            "state": case.state,
            "conflicts": true,
            "protocol": "tcp",
            "family": "inet",
            "address": LOCALHOST,
            "port": port,
            "path": null,
            "netlink": null,
            "peer": is_wait.then_some(peer),
            "interface": null,
            "inode": (!is_wait).then_some(inode),
            "uid": 1000,
            "user": "ci",
            "options": options(),
            "ownership": if is_wait { "time_wait" } else { "process" },
            "backlog": null,
            "since": time(bound),
            "time_wait_left_ms": is_wait.then(|| 60_000 - self.below(9000)),
            "opened_by": opener(program),
            "left_by": is_wait.then(|| opener(program)),
            "processes": if is_wait { Vec::new() } else { vec![process] },
            "more_processes": 0,
        })
    }

    fn test(&mut self) -> Option<Value> {
        let number = self.below(9);
        (number < 6).then(|| {
            json!({
                "runner": "pytest",
                "name": format!("tests/test_api.py::TestServer::test_case_{number}"),
                "worker": format!("gw{}", number % 4),
                "pid": 48_000,
            })
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

/// A line or a part of it, deserialized from JSON: code outside the crate cannot construct these types, which may get
/// more fields.
fn made<T: DeserializeOwned>(value: Value) -> io::Result<T> {
    Ok(serde_json::from_value(value)?)
}

fn line(line: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

fn time(nanoseconds: i128) -> Time {
    Time(jiff::Timestamp::from_nanosecond(nanoseconds).unwrap_or_default())
}

fn options() -> Value {
    json!({ "reuse_address": true, "reuse_port": false, "v6_only": false })
}

fn command(at: i128) -> io::Result<Command<'static>> {
    made(json!({
        "schema": SCHEMA,
        "kind": "command",
        "time": time(at),
        "pid": 48_100,
        "args": vec!["make".to_owned(), "test".to_owned()],
        "args_masked": false,
        "uid": 1000,
        "user": "ci",
        "test": null,
    }))
}

fn socket(port: u16) -> Value {
    json!({
        "family": "inet",
        "protocol": "tcp",
        "address": IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "port": port,
        "path": null,
        "netlink": null,
        "vsock": null,
        "unnamed": false,
        "raw": null,
        "netns": 4_026_531_840_u32,
        "netns_name": null,
        "interface": null,
        "options": options(),
        "uid": 1000,
    })
}

fn opener(program: &Program) -> Value {
    json!({
        "pid": 4001,
        "comm": program.comm,
        "exe": program.exe,
        "args": program.args(),
        "args_masked": false,
        "uid": 1000,
        "user": null,
        "cgroup": null,
        "started": null,
        "ancestors": ancestors(),
        "container": null,
        "unit": null,
        "test": null,
    })
}

fn ancestors() -> Vec<Value> {
    [(48_100, "make"), (48_000, "bash"), (900, "Runner.Worker"), (1, "systemd")]
        .map(|(pid, comm)| json!({ "pid": pid, "comm": comm }))
        .to_vec()
}

fn moment(at: i128, what: &'static str, program: &Program, number: u64) -> Value {
    json!({
        "time": time(at),
        "what": what,
        "any": false,
        "address": LOCALHOST,
        "peer": null,
        "inode": number * 1000,
        "process": opener(program),
    })
}

fn fixed(fix: &(&'static str, &'static str, Option<&'static str>), port: u16) -> Value {
    let (code, text, command) = *fix;
    let filled = |text: &str| text.replace("PORT", &port.to_string());
    json!({
        "code": code,
        "text": filled(text),
        "command": command.map(filled),
    })
}

fn release(refusal: &Refusal<'static>, at: i128) -> io::Result<Release<'static>> {
    let after = time(at).0.duration_since(refusal.time.0);
    made(json!({
        "schema": SCHEMA,
        "kind": "release",
        "time": time(at),
        "refused": refusal.time,
        "after_ms": after.as_millis_f64(),
        "process": { "pid": refusal.process.pid, "comm": refusal.process.comm },
        "socket": refusal.socket,
    }))
}

fn outcome(refusal: &Refusal<'static>, at: i128) -> io::Result<Outcome<'static>> {
    made(json!({
        "schema": SCHEMA,
        "kind": "outcome",
        "time": time(at),
        "refused": refusal.time,
        "process": { "pid": refusal.process.pid, "comm": refusal.process.comm },
        "lived_on_ms": 1500.0,
        "exit_status": 0,
        "signal": null,
        "swallowed": true,
    }))
}
