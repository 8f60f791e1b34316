//! A portbind process.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// How long a slow machine may take to load and attach, or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lines of a stream so far.
#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    ended: bool,
}

/// The lines of a stream, read by a thread.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Heard>, Condvar)>);

/// A running `portbind`.
pub struct Tracer {
    process: Child,
    /// Standard output, with the events.
    pub stdout: Lines,
    /// Standard error, with the status.
    pub stderr: Lines,
}

/// The end of a portbind process.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// The lines of standard output.
    pub stdout: Vec<String>,
    /// The lines of standard error.
    pub stderr: Vec<String>,
}

/// The counts of the summary line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// All refusals.
    pub refused: u64,
    /// Refusals that were shown.
    pub shown: u64,
    /// Refusals that were counted as part of another.
    pub coalesced: u64,
    /// Refusals that a filter omitted.
    pub filtered: u64,
    /// Refusals that were lost.
    pub lost: u64,
}

impl Lines {
    /// Reads a stream to its end.
    fn listen(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let heard = lines.clone();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut bytes = Vec::new();
            while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
                let line = String::from_utf8_lossy(&bytes);
                heard.change(|heard| heard.lines.push(line.trim_end_matches('\n').to_owned()));
                bytes.clear();
            }
            heard.change(|heard| heard.ended = true);
        });
        lines
    }

    /// Changes the collected lines, and wakes the waiting threads.
    fn change(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// Waits until the lines are as wanted, the stream ends or the time is over; returns whether they are as wanted.
    pub fn wait(&self, patience: Duration, wanted: impl Fn(&[String]) -> bool) -> bool {
        let heard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |heard: &mut Heard| !heard.ended && !wanted(&heard.lines);
        let (heard, _) =
            self.0.1.wait_timeout_while(heard, patience, waiting).unwrap_or_else(PoisonError::into_inner);
        wanted(&heard.lines)
    }

    /// Waits for the end of the stream, and takes its lines.
    fn finish(&self) -> Vec<String> {
        let heard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut heard, _) = self
            .0
            .1
            .wait_timeout_while(heard, PATIENCE, |heard| !heard.ended)
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut heard.lines)
    }

    /// The number of lines so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.len()
    }

    /// The lines so far.
    #[must_use]
    pub fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }
}

impl Tracer {
    /// Starts a portbind command.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        Self::spawn_into(command, Stdio::piped())
    }

    /// Starts a portbind command with a given standard output.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn spawn_into(command: &mut Command, stdout: Stdio) -> anyhow::Result<Self> {
        Self::spawn_between(command, Stdio::null(), stdout)
    }

    /// Starts a portbind command with a given standard input and output.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn spawn_between(command: &mut Command, stdin: Stdio, stdout: Stdio) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = match process.stdout.take() {
            Some(stdout) => Lines::listen(stdout),
            None => Lines::listen(std::io::empty()),
        };
        let stderr = Lines::listen(process.stderr.take().context("no standard error")?);
        Ok(Self { process, stdout, stderr })
    }

    /// Starts `portbind trace` with a backend, and waits until portbind reports that it is armed.
    ///
    /// # Errors
    ///
    /// If it does not report that it is armed.
    pub fn trace(portbind: &Path, backend: &str, options: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(portbind);
        command.args(["trace", "--backend", backend]).args(options);
        let tracer = Self::spawn(&mut command)?;
        tracer.armed()?;
        Ok(tracer)
    }

    /// Waits until portbind reports that it is armed.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn armed(&self) -> anyhow::Result<()> {
        let ready = |lines: &[String]| lines.iter().any(|line| line.starts_with("portbind: tracing"));
        if !self.stderr.wait(PATIENCE, ready) {
            bail!("portbind did not say that it is tracing:\n{}", self.stderr.so_far().join("\n"));
        }
        Ok(())
    }

    /// The pid of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal to the process.
    ///
    /// # Errors
    ///
    /// If the signal cannot be sent.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), signal)?)
    }

    /// Stops the process until [`Signal::CONT`].
    ///
    /// # Errors
    ///
    /// If the process cannot be stopped.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)?;
        let pid = Some(Pid::from_child(&self.process));
        let stopped = waitpid(pid, WaitOptions::UNTRACED)?.is_some_and(|(_, status)| status.stopped());
        ensure!(stopped, "portbind has ended");
        Ok(())
    }

    /// Sends a signal to the process, and waits for its end.
    ///
    /// # Errors
    ///
    /// If the signal cannot be sent, or the process does not end in time.
    pub fn stop(self, signal: Signal) -> anyhow::Result<Ended> {
        self.signal(signal)?;
        self.end()
    }

    /// Waits for the end of the process.
    ///
    /// # Errors
    ///
    /// If the process does not end in time; it is killed then.
    pub fn end(mut self) -> anyhow::Result<Ended> {
        let started = Instant::now();
        // Its output ends with the process; after that, its status is available soon.
        let stdout = self.stdout.finish();
        let stderr = self.stderr.finish();
        if started.elapsed() >= PATIENCE {
            bail!("portbind did not end within {} s", PATIENCE.as_secs());
        }
        Ok(Ended { status: self.process.wait()?, stdout, stderr })
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _killed = self.process.kill();
            let _status = self.process.wait();
        }
    }
}

impl Ended {
    /// The counts in the summary line.
    ///
    /// # Errors
    ///
    /// If there is no summary line, or several.
    pub fn account(&self) -> anyhow::Result<Account> {
        let mut accounts = self.stderr.iter().filter_map(|line| account(line));
        match (accounts.next(), accounts.next()) {
            (Some(account), None) => Ok(account),
            (None, _) => bail!("there is no summary line on standard error:\n{}", self.stderr.join("\n")),
            (Some(_), Some(_)) => bail!("there are several summary lines:\n{}", self.stderr.join("\n")),
        }
    }
}

impl Ended {
    /// The number of calls that the kernel missed, if portbind reports it.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        let number = |line: &String| {
            let (number, _) =
                line.strip_prefix("portbind: ")?.split_once(" calls passed over by the kernel")?;
            number.parse::<u64>().ok()
        };
        self.stderr.iter().find_map(number).unwrap_or(0)
    }
}

impl Account {
    /// Checks that the counts add up, and that nothing was lost.
    ///
    /// # Errors
    ///
    /// If they do not, or refusals were lost.
    pub fn check(&self) -> anyhow::Result<()> {
        let Self { refused, shown, coalesced, filtered, lost } = *self;
        if shown + coalesced + filtered + lost != refused {
            bail!(
                "{refused} refused is not {shown} shown + {coalesced} coalesced + {filtered} filtered + {lost} lost"
            );
        }
        if lost != 0 {
            bail!("{lost} of {refused} refusals were lost");
        }
        Ok(())
    }
}

/// Parses the counts in a line `portbind: N refused = N shown + N coalesced + N filtered + N lost`.
pub(crate) fn account(line: &str) -> Option<Account> {
    let (refused, parts) = line.strip_prefix("portbind: ")?.split_once(" refused = ")?;
    let mut parts = parts.split(" + ").zip(["shown", "coalesced", "filtered", "lost"]);
    let mut part = || {
        let (text, word) = parts.next()?;
        text.split_once(' ').filter(|(_, rest)| rest.starts_with(word))?.0.parse().ok()
    };
    Some(Account {
        refused: refused.parse().ok()?,
        shown: part()?,
        coalesced: part()?,
        filtered: part()?,
        lost: part()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_line_is_read() {
        let line = "portbind: 9 refused = 4 shown + 3 coalesced + 2 filtered + 0 lost";
        let account = account(line).unwrap();
        assert_eq!(account, Account { refused: 9, shown: 4, coalesced: 3, filtered: 2, lost: 0 });
        account.check().unwrap();
    }

    #[test]
    fn a_wrong_account_is_complained_of() {
        let line = "portbind: 9 refused = 4 shown + 3 coalesced + 1 filtered + 0 lost";
        assert!(account(line).unwrap().check().is_err());
        let line = "portbind: 9 refused = 4 shown + 3 coalesced + 1 filtered + 1 lost";
        assert!(account(line).unwrap().check().is_err());
    }

    #[test]
    fn other_lines_are_no_summary() {
        assert_eq!(account("portbind: tracing with fexit"), None);
        assert_eq!(account("portbind: 9 refused = 4 shown"), None);
        assert_eq!(account("9 refused = 4 shown + 3 coalesced + 2 filtered + 0 lost"), None);
    }
}
