//! The report for the log of a CI system at the end of a wrapped command, one file per system.
//!
//! The report goes to standard error: the runners read commands from there as well, and the standard output belongs to
//! the command.

use std::io;

use clap::ValueEnum;

use crate::output::Style;
use crate::output::text::command::{self, CommandReport};

mod azure;
mod buildkite;
mod github;
mod gitlab;
mod issue;
mod jenkins;
mod markdown;
mod page;
#[cfg(test)]
mod tests;

pub(crate) use markdown::{PAGE_LIMIT, page};
pub(crate) use page::Page;

/// The CI system for which a run is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Choice {
    /// The system whose variables are in the environment
    #[default]
    Auto,
    /// None: plain text
    None,
    /// GitHub Actions, and the compatible Gitea and Forgejo
    Github,
    /// GitLab CI
    Gitlab,
    /// Azure Pipelines
    Azure,
    /// Buildkite
    Buildkite,
    /// Jenkins
    Jenkins,
}

/// A CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum System {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure Pipelines.
    Azure,
    /// Buildkite.
    Buildkite,
    /// Jenkins.
    Jenkins,
}

/// The variables that each system sets in every job, in the order in which they are checked: an agent may run inside a
/// job of another system, and Jenkins passes on the most variables.
const MARKS: [(System, &[&str]); 5] = [
    (System::Github, &["GITHUB_ACTIONS"]),
    (System::Gitlab, &["GITLAB_CI"]),
    (System::Azure, &["TF_BUILD"]),
    (System::Buildkite, &["BUILDKITE"]),
    (System::Jenkins, &["JENKINS_URL", "BUILD_ID"]),
];

impl Choice {
    /// The system, if any; `is_set` states whether a variable is in the environment and not empty.
    #[must_use]
    pub(crate) fn resolve(self, is_set: impl Fn(&str) -> bool) -> Option<System> {
        match self {
            Self::Auto => {
                let marked = |(_, marks): &&(System, &[&str])| marks.iter().all(|mark| is_set(mark));
                MARKS.iter().find(marked).map(|(system, _)| *system)
            }
            Self::None => None,
            Self::Github => Some(System::Github),
            Self::Gitlab => Some(System::Gitlab),
            Self::Azure => Some(System::Azure),
            Self::Buildkite => Some(System::Buildkite),
            Self::Jenkins => Some(System::Jenkins),
        }
    }
}

/// Writes the report in the format of a system; without findings, every system gets the same single line.
///
/// # Errors
/// The writer's errors, unchanged.
pub(crate) fn write(
    system: System,
    report: &CommandReport<'_>,
    page: &Page,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    if !report.has_findings() {
        return command::write(report, style, out);
    }
    match system {
        System::Github => github::write(report, page, style, out),
        System::Gitlab => gitlab::write(report, page, style, out),
        System::Azure => azure::write(report, page, style, out),
        System::Buildkite => buildkite::write(report, page, style, out),
        System::Jenkins => jenkins::write(report, page, style, out),
    }
}
