//! One virtual machine: boots it, relays its console, and reads its result.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

const QEMU: &str = "qemu-system-x86_64";
const SUCCESS: &str = "portbind-init: success";
const FAILURE: &str = "portbind-init: failure";
/// Console lines after which the machine cannot succeed.
const FATAL: [&str; 4] = [
    "Kernel panic - not syncing",
    "rcu_sched self-detected stall",
    "watchdog: BUG: soft lockup",
    "BUG: unable to handle",
];
/// Seconds until a machine counts as hung; with two in parallel, a whole run took up to 936 on two busy cores.
pub(super) const TIMEOUT: u64 = 2400;
/// How long a machine may take to end after its result, or after a fatal line.
const GRACE: Duration = Duration::from_secs(5);

/// The result of a machine's tests.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// Whether all tests passed.
    pub(super) success: bool,
    /// How many tests passed and failed, if the machine reported it.
    pub(super) tests: Option<(u32, u32)>,
    /// All lines of the console.
    pub(super) console: Vec<String>,
}

/// The size of a machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// MiB of memory.
    pub(super) memory: u32,
    /// With two processors, some kernels occasionally panic in their boot under emulation; the kernel of the
    /// measurements did not so far.
    pub(super) processors: u32,
}

/// Boots `image` with `initramfs` in a machine of this size, relays its console under `label`, and waits for the
/// result.
pub(super) fn boot(
    label: &str,
    image: &Path,
    initramfs: &Path,
    size: Size,
    limit: Duration,
) -> Result<Verdict> {
    let mut cmd = Command::new(QEMU);
    // Two simultaneous processors may execute code that the kernel has replaced (docs/robustness.md, "The oops in the
    // 6.1 machine"), so one thread emulates both.
    let (threads, more) = match size.processors {
        1 => ("tcg,thread=multi", ""),
        // The clock is late if the processors take turns.
        _ => ("tcg,thread=single", " no_timer_check"),
    };
    cmd.args(["-accel", threads, "-cpu", "max"]);
    cmd.args(["-smp", &size.processors.to_string(), "-m", &size.memory.to_string()]);
    cmd.args(["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"]);
    cmd.arg("-kernel").arg(image).arg("-initrd").arg(initramfs);
    cmd.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 edd=off{more}"));
    cmd.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let child = cmd.spawn().with_context(|| format!("failed to run {cmd:?}"))?;
    let mut machine = Machine(child);
    let console = machine.0.stdout.take().context("the machine has no console")?;
    let (sender, lines) = channel();
    thread::spawn(move || read(console, &sender));
    watch(label, &lines, limit)
}

/// A running machine; ends with its owner.
#[derive(Debug)]
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        // Both calls fail only if the machine has already ended.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Sends the console's lines without characters that would move a terminal's cursor.
fn read(console: impl Read, lines: &Sender<String>) {
    let mut console = BufReader::new(console);
    let mut bytes = Vec::new();
    while console.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
        let line = String::from_utf8_lossy(&bytes);
        let line = plain(line.trim_end());
        if lines.send(line).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// `line` without control characters and without the escape sequences of the firmware.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // Either `ESC [ parameters letter`, or ESC and one character.
            if characters.next() == Some('[') {
                characters.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if !character.is_control() {
            text.push(character);
        }
    }
    text
}

/// Follows the console until the result, or until another end.
fn watch(label: &str, lines: &Receiver<String>, limit: Duration) -> Result<Verdict> {
    let mut deadline = Instant::now() + limit;
    let mut outcome = None;
    let mut tests = None;
    let mut console = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("[{label}] {line}");
                tests = sums(&line).or(tests);
                console.push(line.clone());
                if outcome.is_none() {
                    outcome = judge(&line);
                    if outcome.is_some() {
                        deadline = Instant::now() + GRACE;
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) if outcome.is_none() => {
                bail!("no verdict within {} s", limit.as_secs());
            }
            Err(_) => break,
        }
    }
    let success = outcome.unwrap_or_else(|| Err(anyhow!("the machine ended without a verdict")))?;
    Ok(Verdict { success, tests, console })
}

/// The result that a console line implies, if any.
fn judge(line: &str) -> Option<Result<bool>> {
    if line.ends_with(SUCCESS) {
        return Some(Ok(true));
    }
    if line.ends_with(FAILURE) {
        return Some(Ok(false));
    }
    let fatal = FATAL.into_iter().any(|text| line.contains(text));
    fatal.then(|| Err(anyhow!("the kernel died: {line}")))
}

/// The numbers in a line of the form `N passed, N failed`; other text is ignored.
fn sums(line: &str) -> Option<(u32, u32)> {
    let before = |word: &str| line.split(word).next()?.split_whitespace().next_back()?.parse().ok();
    (line.contains(" passed") && line.contains(" failed")).then_some(())?;
    Some((before(" passed")?, before(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let decided = |line| judge(line).map(Result::ok);
        assert_eq!(decided("portbind-init: success"), Some(Some(true)));
        assert_eq!(decided("portbind-init: failure"), Some(Some(false)));
        assert_eq!(decided("[    1.2] Kernel panic - not syncing: Attempted to kill init!"), Some(None));
        assert_eq!(decided("portbind-init: successor"), None);
    }

    #[test]
    fn escape_sequences() {
        assert_eq!(plain("\u{1b}c\u{1b}[?7l\u{1b}[2Jhello \u{1b}[0mworld\r"), "hello world");
    }

    #[test]
    fn numbers_of_tests() {
        assert_eq!(sums("12 passed, 3 failed, 1 skipped"), Some((12, 3)));
        assert_eq!(sums("total: 12 passed, 0 failed"), Some((12, 0)));
        assert_eq!(sums("nothing passed"), None);
    }
}
