//! The settings of a measurement: the programs, the repetitions, and a helper's run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::stats::{Spread, Words, words};
use super::table::{Goal, Row};
use super::tools::Tracer;
use crate::tool;

/// bpftrace requires tracefs, which is mounted in a private mount namespace.
const WITH_TRACEFS: &str =
    "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; exec \"$@\"";

/// The settings that every measurement needs.
#[derive(Debug)]
pub(super) struct Setting {
    /// The release build of portbind.
    pub(super) portbind: PathBuf,
    /// `portbind-tests`.
    pub(super) helper: PathBuf,
    /// Only a functional test.
    pub(super) quick: bool,
    /// Seconds per storm.
    pub(super) storm: f64,
    /// Backends of portbind.
    pub(super) backends: Vec<&'static str>,
    /// Other tracers.
    pub(super) peers: Vec<Tracer>,
    /// The tracer whose start is compared, and the goal.
    pub(super) start_goal: Goal,
    /// Calls per loop; fewer under emulation, which is slow.
    pub(super) calls: u32,
}

/// A number in the output of helpers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metric {
    /// Its name in the output.
    pub(super) key: &'static str,
    /// Its description.
    pub(super) what: &'static str,
    /// Its unit.
    pub(super) unit: &'static str,
    /// The goal.
    pub(super) goal: Goal,
}

/// The results of all runs of every tool.
pub(super) type Samples = Vec<(String, Vec<Words>)>;

impl Setting {
    /// How often a measurement is repeated.
    pub(super) const fn rounds(&self, all: usize) -> usize {
        if self.quick { 2 } else { all }
    }

    /// The number, reduced for a quick run.
    pub(super) const fn fewer(&self, all: u32) -> u32 {
        if self.quick { all / 10 } else { all }
    }

    /// portbind with each backend.
    pub(super) fn ours(&self) -> Vec<Tracer> {
        self.backends.iter().map(|backend| Tracer::portbind(&self.portbind, backend, "json")).collect()
    }

    /// portbind and the other tracers.
    pub(super) fn tracers(&self) -> Vec<Tracer> {
        self.ours().into_iter().chain(self.peers.iter().cloned()).collect()
    }

    /// Runs a measurement of the helper once.
    pub(super) fn measure(&self, arguments: &[String]) -> Result<Words> {
        let mut cmd = Command::new("unshare");
        cmd.args(["--mount", "sh", "-c", WITH_TRACEFS, "sh"]).arg(&self.helper).arg("bench").args(arguments);
        let text = tool::output(&mut cmd)?;
        Ok(words(text.lines().last().context("the helper says nothing")?))
    }

    /// Runs a measurement of each tracer in turn, this many times.
    pub(super) fn interleave(
        &self,
        rounds: usize,
        measurement: &str,
        tracers: &[Option<Tracer>],
    ) -> Result<Samples> {
        let name =
            |tracer: &Option<Tracer>| tracer.as_ref().map_or("nobody".to_owned(), |one| one.name.clone());
        let mut samples: Samples = tracers.iter().map(|tracer| (name(tracer), vec![])).collect();
        for _ in 0..rounds {
            for (tracer, (_, runs)) in tracers.iter().zip(&mut samples) {
                let watch = tracer.as_ref().map(Tracer::arguments).unwrap_or_default();
                let words = measurement.split(' ').map(str::to_owned).chain(watch).collect::<Vec<_>>();
                runs.push(self.measure(&words)?);
            }
        }
        Ok(samples)
    }
}

/// The rows of these metrics.
pub(super) fn rows(metrics: &[Metric], samples: &Samples) -> Vec<Row> {
    let mut rows = Vec::new();
    for metric in metrics {
        for (tool, runs) in samples {
            let values: Vec<f64> = runs.iter().filter_map(|words| words.get(metric.key).copied()).collect();
            let Some(spread) = Spread::of(&values) else { continue };
            let Metric { what, unit, goal, .. } = *metric;
            rows.push(Row { what: what.to_owned(), tool: tool.clone(), spread, unit, goal });
        }
    }
    rows
}

/// The median of one number per tool.
pub(super) fn medians(key: &str, samples: &Samples) -> BTreeMap<String, f64> {
    let of = |runs: &[Words]| -> Option<f64> {
        let values: Vec<f64> = runs.iter().filter_map(|words| words.get(key).copied()).collect();
        Some(Spread::of(&values)?.median)
    };
    samples.iter().filter_map(|(tool, runs)| Some((tool.clone(), of(runs)?))).collect()
}
