//! `portbind report`: memory independent of the size of the recording, and damaged recordings.

use std::io::{self, BufWriter, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::setting::Setting;
use super::support::SOON;
use crate::recording::{self, Plan};

/// A small and a large recording.
const BYTES: [u64; 2] = [10_000_000, 100_000_000];
/// Maximum memory for any recording, in kilobytes.
const MOST_KB: u64 = 100 * 1024;
/// Maximum additional memory for the large recording, in kilobytes: both recordings fill the limits.
const GROWTH_KB: u64 = 8 * 1024;

/// The result of a `portbind report`.
struct Reported {
    code: Option<i32>,
    /// Peak memory.
    kilobytes: u64,
    shown: String,
    said: String,
}

/// A recording ten times as large takes no more memory, however many ports it contains.
pub(super) fn memory(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut used = Vec::new();
    for bytes in BYTES {
        let plan = Plan { bytes: bytes * u64::from(setting.times), ports: 5000, holders: 2, seed: 1 };
        let reported = report(setting, |input| recording::write(plan, input))?;
        ensure!(reported.code == Some(0), "it ended with {:?}:\n{}", reported.code, reported.said);
        used.push(reported.kilobytes);
    }
    ensure!(used.iter().all(|used| *used < MOST_KB), "{used:?} kB of memory, of {MOST_KB}");
    let [small, large] = *used else { anyhow::bail!("not measured") };
    ensure!(large < small + GROWTH_KB, "{small} kB for {} bytes, {large} kB for {}", BYTES[0], BYTES[1]);
    Ok(())
}

/// Any recording is read to its end, and its readable lines are reported.
pub(super) fn damage(setting: Setting<'_>) -> anyhow::Result<()> {
    let mut good = Vec::new();
    recording::write(Plan { bytes: 1, ports: 1, holders: 1, seed: 1 }, &mut good)?;
    let cut = good.get(..good.len() - 100).context("too short")?;
    let noise: Vec<u8> =
        (0..100_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let damaged: [(&str, Vec<u8>, &str); 6] = [
        ("nothing", Vec::new(), ""),
        ("torn", cut.to_vec(), "torn"),
        ("binary", noise, "not UTF-8"),
        ("nested", b"{\"a\":".repeat(100_000), "not of portbind"),
        ("one line of 50 MB", vec![b'x'; 50_000_000], "too long"),
        ("newer", replaced(&good, "portbind.event/1", "portbind.event/2"), "another version"),
    ];
    for (name, bytes, word) in damaged {
        let mut input = [&good, &bytes, &b"\n"[..], &good].concat();
        if name == "torn" {
            input = [&good, &good, &bytes[..]].concat();
        }
        let Reported { code, kilobytes, shown, said } = report(setting, |out| out.write_all(&input))?;
        ensure!(code == Some(0), "{name}: it ended with {code:?}\n{said}");
        ensure!(kilobytes < MOST_KB, "{name}: {kilobytes} kB");
        ensure!(shown.contains("\"refused\":2,"), "{name}: not two refusals:\n{shown}");
        ensure!(said.contains(word), "{name}: nothing is said of it:\n{said}");
    }
    Ok(())
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace(from, to).into_bytes()
}

/// The JSON report of the lines that `write` produces.
fn report(
    setting: Setting<'_>,
    write: impl FnOnce(&mut BufWriter<ChildStdin>) -> io::Result<()>,
) -> anyhow::Result<Reported> {
    let mut command = Command::new(setting.portbind);
    command.args(["report", "-", "-o", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = BufWriter::with_capacity(1 << 20, child.stdin.take().context("no input")?);
    write(&mut input)?;
    input.flush()?;
    // The kernel does not announce that a pipe has been read, so this is a bounded poll.
    let started = Instant::now();
    while rustix::io::ioctl_fionread(input.get_ref())? > 0 && started.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let highest = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes = highest.trim().trim_end_matches(" kB").parse()?;
    drop(input);
    let ended = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Reported {
        code: ended.status.code(),
        kilobytes,
        shown: text(&ended.stdout),
        said: text(&ended.stderr),
    })
}
