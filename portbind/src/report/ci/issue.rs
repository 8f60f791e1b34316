//! The refusals that get a line of their own on the page of a job.

use crate::diagnosis::program::runs_of;
use crate::escape::{columns, cut};
use crate::event::{Outcome, Refusal};
use crate::order::sort_by_key;
use crate::output::Style;
use crate::output::text::command::{self, CommandReport};
use crate::output::words;
use crate::wire::Socket;

/// GitHub shows at most this many errors per step (docs/problem-matchers.md of actions/toolkit).
const MOST: usize = 10;
/// Columns of a title, and of a message: GitHub cuts messages after 4096 characters (ExecutionContext.cs of
/// actions/runner).
const TITLE: usize = 200;
const MESSAGE: usize = 4000;

/// An issue to annotate.
pub(super) struct Issue {
    /// The text in one line.
    pub(super) title: String,
    /// The text in several lines.
    pub(super) message: String,
}

/// At most [`MOST`] issues: the first refusal of each cause, then further refusals in the order of time; if there are
/// more, the last issue contains their number.
pub(super) fn refusals(report: &CommandReport<'_>, style: &Style) -> Vec<Issue> {
    let firsts = report.groups.iter().filter_map(|group| group.refusals.first());
    let mut others: Vec<_> = report.groups.iter().flat_map(|group| group.refusals.iter().skip(1)).collect();
    sort_by_key(&mut others, |(refusal, _)| refusal.time);
    let total = usize::try_from(report.refusals).unwrap_or(usize::MAX);
    let room = if total > MOST { MOST - 1 } else { MOST };
    let chosen = firsts.chain(others).take(room);
    let mut issues: Vec<_> = chosen.map(|(refusal, outcome)| of(refusal, outcome, style)).collect();
    let more = total.saturating_sub(issues.len());
    if more > 0 {
        let title = format!("{more} more refused binds");
        issues.push(Issue { message: format!("{title}: the log has all of them by cause"), title });
    }
    issues
}

/// The sockets that outlived the command, if any.
pub(super) fn leaks(report: &CommandReport<'_>, style: &Style) -> Option<Issue> {
    let title = match report.leaks.len() {
        0 => return None,
        1 => "1 socket left bound".to_owned(),
        count => format!("{count} sockets left bound"),
    };
    let style = plain(style);
    let message = format!("{}, still bound:\n{}", report.ending(), command::left_bound(report.leaks, &style));
    Some(Issue { title, message: shortened(&message) })
}

fn of(refusal: &Refusal, outcome: &Outcome, style: &Style) -> Issue {
    let socket = Socket::from(&refusal.socket);
    let title = format!(
        "{} {} {} refused to {}: {}",
        refusal.operation.as_str(),
        words::kind(&socket.family, &socket.protocol),
        words::asked(&socket),
        runs_of(&refusal.process),
        refusal.cause.code
    );
    let message = command::refused(refusal, outcome, &plain(style));
    Issue { title: cut(&title, TITLE).into_owned(), message: shortened(&message) }
}

/// The complete lines that fit: a command that is cut might do something else.
fn shortened(message: &str) -> String {
    let mut kept = String::new();
    let mut used = 0_usize;
    for line in message.trim_end().lines() {
        used = used.saturating_add(columns(line)).saturating_add(1);
        if used > MESSAGE {
            kept.push('…');
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept.trim_end().to_owned()
}

fn plain(style: &Style) -> Style {
    Style { color: false, width: None, ..style.clone() }
}
