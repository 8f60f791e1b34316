//! The destination of a run's page: the file or the program that the CI system provides for such pages.
//!
//! The environment of the sudo caller names both. So that the caller cannot make root write to another user's file or
//! run a program, the helper with the rights of the caller does all of this ([`crate::writer`]).

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use super::identity::Identity;
use crate::escape::Escaped;
use crate::host::confinement::Errand;
use crate::output::Style;
use crate::output::text::command::CommandReport;
use crate::report::ci::{self, PAGE_LIMIT, Page, System};
use crate::writer::{Annotated, Writer, stderr};

/// The destination of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// GitHub: appended to the file that GitHub created for the step.
    Step(PathBuf),
    /// Azure: into a new file, which the agent removes after the job.
    New(PathBuf),
    /// Buildkite: passed to the agent's program, if it is installed.
    Agent,
}

impl Destination {
    /// The destination for a CI system, from the caller's environment.
    pub(crate) fn of(system: System, identity: &Identity) -> Option<Self> {
        let path = |name| identity.variable(name).map(PathBuf::from);
        match system {
            System::Github => path("GITHUB_STEP_SUMMARY").map(Self::Step),
            System::Azure => {
                let name = format!("portbind-{}.md", process::id());
                path("AGENT_TEMPDIRECTORY").map(|folder| Self::New(folder.join(name)))
            }
            System::Buildkite => identity.variable("PATH").map(|_| Self::Agent),
            System::Gitlab | System::Jenkins => None,
        }
    }

    /// The task of the helper for this destination.
    pub(crate) const fn errand(&self) -> Errand {
        match self {
            Self::Step(_) | Self::New(_) => Errand::Files,
            Self::Agent => Errand::Program,
        }
    }

    /// The file of the page, if the destination is a file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Step(path) | Self::New(path) => Some(path),
            Self::Agent => None,
        }
    }

    /// Delivers the page. A failure is reported, but does not fail the run.
    pub(crate) fn publish(
        self,
        report: &CommandReport<'_>,
        style: &Style,
        identity: &Identity,
        writer: &mut Writer,
    ) -> Page {
        if !report.has_findings() {
            return Page::Nowhere;
        }
        let of_room = |room| ci::page(report, style, room);
        let published = match self {
            Self::Step(path) => append(&path, of_room, writer).map_err(|error| about(&path, &error)),
            Self::New(path) => create(&path, of_room, writer).map_err(|error| about(&path, &error)),
            Self::Agent => annotate(identity, of_room, writer),
        };
        published.unwrap_or_else(|error| {
            stderr::say(format_args!("the findings are only in this log: {error}"));
            Page::Nowhere
        })
    }
}

fn append(path: &Path, page: impl FnOnce(usize) -> Option<String>, writer: &mut Writer) -> io::Result<Page> {
    let mut file = writer.append_existing(path)?;
    let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let Some(page) = page(PAGE_LIMIT.saturating_sub(taken)) else {
        return Err(io::Error::other("the page of a step may not grow beyond 1 MiB"));
    };
    file.write_all(page.as_bytes())?;
    Ok(Page::Shown)
}

fn create(path: &Path, page: impl FnOnce(usize) -> Option<String>, writer: &mut Writer) -> io::Result<Page> {
    let Some(page) = page(PAGE_LIMIT) else { return Ok(Page::Nowhere) };
    writer.create(path)?.write_all(page.as_bytes())?;
    Ok(Page::At(path.to_owned()))
}

fn annotate(
    identity: &Identity,
    page: impl FnOnce(usize) -> Option<String>,
    writer: &mut Writer,
) -> io::Result<Page> {
    let Some(page) = page(PAGE_LIMIT) else { return Ok(Page::Nowhere) };
    match writer.annotate(&identity.environment, &page)? {
        Annotated::Absent => Ok(Page::Nowhere),
        Annotated::Ended(status) if status.success() => Ok(Page::Shown),
        Annotated::Ended(status) => Err(io::Error::other(format!("buildkite-agent annotate: {status}"))),
        Annotated::Late => Err(io::Error::other("buildkite-agent annotate took too long")),
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to {}: {error}", Escaped(&path.to_string_lossy())))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
