//! Measurements on a machine with many processes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::setting::{Metric, Samples, Setting, medians, rows};
use super::stats::Words;
use super::table::{Goal, Row, Section, number};

/// The limit for the answer in milliseconds.
const QUICK: f64 = 60.0;
/// Number of processes, and of sockets per process.
const CROWD: (u32, u32) = (3_000, 50);

/// The processes; dropping this ends them.
struct Farm {
    process: Child,
    port: String,
}

impl Farm {
    fn new(setting: &Setting, processes: u32) -> Result<Self> {
        let mut cmd = Command::new(&setting.helper);
        cmd.args(["bench", "farm", "--processes", &processes.to_string()]);
        cmd.args(["--sockets", &CROWD.1.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = cmd.spawn().with_context(|| format!("failed to run {cmd:?}"))?;
        let stdout = process.stdout.as_mut().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.trim().strip_prefix("port=").context("the farm names no port")?.to_owned();
        Ok(Self { process, port })
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _status = self.process.wait();
    }
}

fn crowd(setting: &Setting) -> u32 {
    setting.fewer(CROWD.0).max(300)
}

/// Measures the search for the owner of a port: portbind, and all other tools that can find it.
pub(super) fn who(setting: &Setting) -> Result<Section> {
    let processes = crowd(setting);
    let farm = Farm::new(setting, processes)?;
    let portbind = setting.portbind.display().to_string();
    let port = &farm.port;
    let commands = [
        ("portbind who", format!("{portbind} who {port}")),
        ("ss -tlnp", "ss -tlnp".to_owned()),
        ("lsof", format!("lsof -nP -i :{port}")),
        ("fuser", format!("fuser {port}/tcp")),
        ("netstat", "netstat -tlnp".to_owned()),
    ];
    let mut samples: Samples = commands.iter().map(|(name, _)| ((*name).to_owned(), vec![])).collect();
    for _ in 0..setting.rounds(5) {
        for ((_, command), (_, runs)) in commands.iter().zip(&mut samples) {
            runs.push(Words::from([("ms".to_owned(), time(command)?)]));
        }
    }
    let metric = |what, goal| Metric { key: "ms", what, unit: "ms", goal };
    let mut found = rows(&[metric("who has the port", Goal::AtMost(QUICK))], &samples);
    found.extend(
        rows(&[metric("the same, 20 × faster", Goal::OfPeer(0.05, "netstat"))], &samples)
            .into_iter()
            .filter(|row| row.tool == "portbind who" || row.tool == "netstat"),
    );
    Ok(Section {
        name: "who",
        title: format!("Who has a port, among {processes} processes with {} sockets each", CROWD.1),
        rows: found,
        notes: vec![],
    })
}

/// Milliseconds that a command takes; the command must succeed.
fn time(command: &str) -> Result<f64> {
    let mut words = command.split(' ');
    let mut cmd = Command::new(words.next().unwrap_or_default());
    cmd.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = cmd.status().with_context(|| format!("failed to run {cmd:?}"))?;
    let took = begun.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success(), "{cmd:?}: {status}");
    Ok(took)
}

/// Refusals among few and among many processes: one after the other, and in a burst.
pub(super) fn holders(setting: &Setting) -> Result<Section> {
    let tracers: Vec<_> = setting.ours().into_iter().map(Some).collect();
    let mut found: Vec<Row> = Vec::new();
    let many = crowd(setting);
    let mut notes = vec![format!("Each process has {} sockets.", CROWD.1)];
    for processes in [10, many] {
        let _farm = Farm::new(setting, processes)?;
        let goal = if processes == many { Goal::AtMost(QUICK * 1e3) } else { Goal::None };
        let metric = |key, what| Metric { key, what, unit: "µs", goal };
        let mut rows_here = Vec::new();
        for (settle, first, last) in [
            (500, "0.5 s after its start, first line of a burst of 100", "last line of that"),
            (5_000, "5 s after its start, first line of a burst of 100", "last line of that one"),
        ] {
            let measurement = format!("latency --burst --count 100 --settle {settle}");
            let burst = setting.interleave(setting.rounds(3), &measurement, &tracers)?;
            rows_here.extend(rows(&[metric("least_us", first), metric("most_us", last)], &burst));
            notes.extend(medians("shown", &burst).iter().map(|(tool, shown)| {
                format!(
                    "{processes} processes, after {settle} ms: {tool} printed {} lines of a burst.",
                    number(*shown)
                )
            }));
        }
        let apart = setting.interleave(setting.rounds(3), "latency --count 100 --settle 5000", &tracers)?;
        rows_here
            .extend(rows(&[metric("p50_us", "a refusal alone"), metric("most_us", "the slowest")], &apart));
        let named = rows_here.into_iter();
        found.extend(named.map(|row| Row { what: format!("{processes} processes: {}", row.what), ..row }));
    }
    Ok(Section {
        name: "holders",
        title: "From a refusal to its line, among many processes".to_owned(),
        rows: found,
        notes,
    })
}
