//! Measures the time from a tracer's start until it reports refusals.

use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::load::{Load, Taken};
use super::tool::{Tool, Watched};
use super::words::{Words, word};

/// Pause between refusals.
const PAUSE: Duration = Duration::from_millis(1);
/// Give up if no refusal has been reported after this time.
const LONGEST: Duration = Duration::from_secs(300);

pub(super) fn run(watched: &Watched) -> anyhow::Result<Words> {
    let taken = Taken::new(Load { on_port: 1, listeners: 0 })?;
    let tool = Tool::start(watched, None)?;
    let (mut ready, mut first) = (None, None);
    let mut said = Vec::new();
    while ready.is_none() || first.is_none() {
        ensure!(tool.begun.elapsed() < LONGEST, "no refusal was shown");
        taken.refuse()?;
        std::thread::sleep(PAUSE);
        loop {
            let line = match tool.lines.try_recv() {
                Ok(line) => line,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("it ended: {}", said.join("; ")),
            };
            let after = line.time.duration_since(tool.begun).as_secs_f64() * 1e3;
            if ready.is_none() && line.text.contains(&watched.ready) {
                ready = Some(after);
            } else if first.is_none() && watched.tells(&line.text, taken.port) {
                first = Some(after);
            } else if first.is_none() {
                said.push(line.text);
            }
        }
    }
    tool.stop()?;
    Ok(vec![
        word("ready_ms", ready.context("it was never ready")?),
        word("first_ms", first.context("it shown nothing")?),
    ])
}
