//! The field corpus: situations of public reports, played with real programs (`cargo xtask field`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;

mod apart;
mod corpus;
mod needs;
mod play;
mod row;
mod shown;
mod table;
mod verify;

pub(crate) use corpus::Corpus;
use needs::Package;
pub(crate) use row::{Row, load};

/// Rows that are played at the same time: most of a row's time is waiting.
const AT_ONCE: usize = 3;

/// Options of `portbind-tests field`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The portbind under test.
    #[arg(long, value_name = "PATH", required_unless_present_any = ["table", "missing"])]
    portbind: Option<PathBuf>,
    /// The backend.
    #[arg(long, value_name = "NAME", default_value = "tracepoint")]
    backend: String,
    /// Folder of the rows.
    #[arg(long, value_name = "DIR", default_value = "tests/field")]
    folder: PathBuf,
    /// Folder of the modules of PyPI and npm.
    #[arg(long, value_name = "DIR", default_value = "target/field")]
    installed: PathBuf,
    /// Play only rows whose names contain this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    row: String,
    /// Play only the rows of continuous integration.
    #[arg(long)]
    ci: bool,
    /// Fail if the programs of a row are missing.
    #[arg(long)]
    all: bool,
    /// Print what portbind shows of each row.
    #[arg(long)]
    show: bool,
    /// Print docs/field.md instead.
    #[arg(long)]
    table: bool,
    /// Print the missing packages instead, with the registry of each.
    #[arg(long)]
    missing: bool,
}

/// The result of a row.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// As the row demands.
    Passed,
    /// Not as the row demands, which the row says.
    KnownWrong,
    /// Not as the row demands, or better than the row says.
    Failed(String),
    /// What is missing.
    Skipped(String),
}

/// Runs `portbind-tests field`; returns whether all rows passed.
///
/// # Errors
///
/// If a row cannot be read.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let rows = load(&options.folder)?;
    if options.table {
        print!("{}", table::page(&rows));
        return Ok(true);
    }
    let installed = std::path::absolute(&options.installed)?;
    let chosen: Vec<&Row> =
        rows.iter().filter(|row| row.name.contains(&options.row) && (row.is_for_ci || !options.ci)).collect();
    ensure!(!chosen.is_empty(), "no row has such a name");
    if options.missing {
        missing(&chosen, &installed)
            .iter()
            .for_each(|package| println!("{} {}", package.registry, package.name));
        return Ok(true);
    }
    let portbind = options.portbind.as_deref().context("no portbind was given")?;
    let (portbind, folder) = (std::path::absolute(portbind)?, std::path::absolute(&options.folder)?);
    let corpus = Corpus {
        portbind: &portbind,
        backend: &options.backend,
        folder: &folder,
        installed: &installed,
        shows_text: options.show,
    };
    Ok(summarize(&play_all(&corpus, &chosen), options.all))
}

/// The page that docs/field.md must be.
///
/// # Errors
///
/// If a row cannot be read.
pub fn page(folder: &Path) -> anyhow::Result<String> {
    Ok(table::page(&load(folder)?))
}

/// The packages that some of the rows lack.
fn missing(rows: &[&Row], installed: &Path) -> BTreeSet<Package> {
    let needs = rows.iter().flat_map(|row| &row.needs).filter(|need| !needs::is_there(need, installed));
    needs.filter_map(|need| needs::package_of(need)).collect()
}

/// Plays rows, a few at once, and prints a line for each.
pub(crate) fn play_all(corpus: &Corpus<'_>, rows: &[&Row]) -> Vec<(String, Outcome)> {
    let (next, done) = (Mutex::new(rows.iter()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let Some(row) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
            let begun = Instant::now();
            let outcome = outcome_of(corpus, row);
            let seconds = begun.elapsed().as_secs_f64();
            match &outcome {
                Outcome::Passed => println!("field: {} ... ok, {seconds:.1} s", row.name),
                Outcome::KnownWrong => println!("field: {} ... wrong, as known, {seconds:.1} s", row.name),
                Outcome::Failed(why) => println!("field: {} ... FAILED, {seconds:.1} s\n{why}", row.name),
                Outcome::Skipped(why) => println!("field: {} ... skipped: {why}", row.name),
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((row.name.clone(), outcome));
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(worker))));
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn outcome_of(corpus: &Corpus<'_>, row: &Row) -> Outcome {
    let missing: Vec<&str> = row
        .needs
        .iter()
        .map(String::as_str)
        .filter(|need| !needs::is_there(need, corpus.installed))
        .collect();
    if !missing.is_empty() {
        return Outcome::Skipped(format!("there is no {}", missing.join(", no ")));
    }
    match (play::play(corpus, row), &row.wrong) {
        (Ok(()), None) => Outcome::Passed,
        (Ok(()), Some(_)) => Outcome::Failed("portbind is right now: remove the line `# wrong: `".to_owned()),
        (Err(_), Some(_)) => Outcome::KnownWrong,
        (Err(error), None) => Outcome::Failed(format!("{error:#}")),
    }
}

/// Prints the names of the rows that did not pass; returns whether the run is a success.
fn summarize(outcomes: &[(String, Outcome)], all: bool) -> bool {
    let names = |wanted: fn(&Outcome) -> bool| -> Vec<&str> {
        let mut names: Vec<&str> =
            outcomes.iter().filter(|(_, outcome)| wanted(outcome)).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names
    };
    let failed = names(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = names(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let wrong = names(|outcome| matches!(outcome, Outcome::KnownWrong));
    let passed = outcomes.len() - failed.len() - skipped.len() - wrong.len();
    println!("{passed} passed");
    for (what, names) in [("failed", &failed), ("wrong, as known", &wrong), ("skipped", &skipped)] {
        println!("{} {what}{}{}", names.len(), if names.is_empty() { "" } else { ": " }, names.join(", "));
    }
    failed.is_empty() && (skipped.is_empty() || !all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::INSTALLED;

    fn rows() -> Vec<Row> {
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("field")).unwrap()
    }

    #[test]
    fn rows_of_continuous_integration_need_only_programs_that_setup_installs() {
        let rows = rows();
        let ci: Vec<&Row> = rows.iter().filter(|row| row.is_for_ci).collect();
        assert!(ci.len() > 20 && ci.len() < rows.len(), "{} of {}", ci.len(), rows.len());
        for row in ci {
            for need in &row.needs {
                assert!(INSTALLED.iter().any(|program| program.name == need), "{}: {need}", row.name);
            }
        }
    }

    #[test]
    fn page_is_made_from_the_rows() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/field.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == table::page(&rows()), "docs/field.md is stale: run `cargo xtask field --table`");
    }
}
