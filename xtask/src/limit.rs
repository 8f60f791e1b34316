//! A time limit: beyond it, this program ends with every process that it has started.

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};

/// How often processes are searched for: a process may have started another one just before its end.
const ROUNDS: u32 = 20;
/// Time for the killed processes to end.
const PAUSE: Duration = Duration::from_millis(20);

/// Ends this program unless dropped before.
#[derive(Debug)]
pub(crate) struct Limit(#[expect(dead_code, reason = "its end is the message")] Sender<()>);

impl Limit {
    /// Limits the duration of `name`.
    pub(crate) fn new(name: &str, limit: Duration) -> Self {
        let (sender, receiver) = channel();
        let name = name.to_owned();
        thread::spawn(move || {
            if receiver.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("xtask: step `{name}` took longer than its limit of {} s", limit.as_secs());
                end_children();
                std::process::exit(1);
            }
        });
        Self(sender)
    }
}

/// Kills all descendants of this process.
pub(crate) fn end_children() {
    // A process that outlives its parent becomes a child of this process, and is found.
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        eprintln!("xtask: processes of the step may be left: {error}");
    }
    end_descendants(getpid());
}

/// Kills all descendants of `ancestor`, but not `ancestor` itself.
fn end_descendants(ancestor: Pid) {
    for _ in 0..ROUNDS {
        let mut found = vec![ancestor];
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            found.extend(children(pid));
            next += 1;
        }
        for &pid in found.iter().skip(1) {
            // The call fails if the process has ended meanwhile.
            let _ended = kill_process(pid, Signal::KILL);
        }
        thread::sleep(PAUSE);
    }
}

/// The children of all threads of `pid`.
fn children(pid: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(parse).collect::<Vec<_>>()).collect()
}

fn parse(pid: &str) -> Option<Pid> {
    Pid::from_raw(pid.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_of_children_are_ended() {
        // The shell's child has left the process group and the session.
        let script = "setsid sh -c 'echo started; exec sleep 1000' & wait";
        let mut parent =
            Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().expect("no shell");
        let mut output = BufReader::new(parent.stdout.take().expect("no output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("nothing was started");
        let pid = Pid::from_child(&parent);
        let child = children(pid);
        assert_eq!(child.len(), 1);
        end_descendants(pid);
        // The output ends with its last writer; the shell saw its child end.
        assert_eq!(output.read_line(&mut line).expect("no end"), 0);
        assert_eq!(parent.wait().expect("no status").signal(), None);
    }
}
