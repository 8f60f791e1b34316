//! `cargo xtask causes`: writes the transcripts of docs/causes, and checks that pages, scenarios and codes are
//! consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::code::Code;
use crate::{transcripts, workspace};

mod page;
mod scenarios;

/// Options of `cargo xtask causes`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only check that every code has its page and its scenario; needs no privileges.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Codes that no scenario can cause, and why.
const WITHOUT_SCENARIO: &[(Code, &str)] = &[
    (Code::AccessDenied, "the caller would have to end between the refusal and the look at its namespace"),
    (Code::NoMemory, "the kernel would have to run out of memory"),
];

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.check {
        write(&transcripts::print("transcripts")?)?;
    }
    let complaints = complaints()?;
    ensure!(complaints.is_empty(), "docs/causes and tests/scenarios do not fit:\n{}", complaints.join("\n"));
    println!("{} causes, each with its page and its scenario", Code::ALL.len());
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("docs/causes")
}

/// Writes the transcripts into the pages.
fn write(transcripts: &BTreeMap<String, String>) -> Result<()> {
    for (code, text) in transcripts {
        let path = folder().join(format!("{code}.md"));
        let old = fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        let new = transcripts::replace(&old, page::MARK, text).with_context(|| path.display().to_string())?;
        if new != old {
            fs::write(&path, new)?;
            println!("docs/causes/{code}.md");
        }
    }
    Ok(())
}

/// All inconsistencies.
fn complaints() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let played = scenarios::causes(&workspace::root().join("tests/scenarios"))?;
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for unknown in played.iter().filter(|code| !known.contains(code.as_str())) {
        complaints.push(format!("a scenario expects {unknown}, which is no code"));
    }
    let mut pages = BTreeMap::new();
    for code in Code::ALL {
        complaints.extend(without_scenario(*code, &played));
        match fs::read_to_string(folder().join(format!("{code}.md"))) {
            Ok(text) => {
                complaints.extend(page::complaints(*code, &text, !is_exempt(*code)));
                pages.insert(code.as_str(), text);
            }
            Err(error) => complaints.push(format!("docs/causes/{code}.md: {error}")),
        }
    }
    complaints.extend(strays(&known)?);
    let index = fs::read_to_string(folder().join("README.md")).context("docs/causes/README.md")?;
    complaints.extend(page::index_complaints(&index, &pages));
    Ok(complaints)
}

fn is_exempt(code: Code) -> bool {
    WITHOUT_SCENARIO.iter().any(|(exempt, _)| *exempt == code)
}

/// Reports a code that no scenario causes, and an outdated exception.
fn without_scenario(code: Code, played: &BTreeSet<String>) -> Option<String> {
    let exception = WITHOUT_SCENARIO.iter().find(|(exempt, _)| *exempt == code);
    match (exception, played.contains(code.as_str())) {
        (None, false) => Some(format!("{code} has no scenario")),
        (Some((_, why)), true) => Some(format!("{code} has a scenario, though it is excepted: {why}")),
        _ => None,
    }
}

/// Pages without a code.
fn strays(known: &BTreeSet<&str>) -> Result<Vec<String>> {
    let mut strays = Vec::new();
    for entry in fs::read_dir(folder()).context("docs/causes")? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".md"));
        if !stem.is_some_and(|stem| stem == "README" || known.contains(stem)) {
            strays.push(format!("docs/causes/{} is the page of no code", name.display()));
        }
    }
    Ok(strays)
}
