//! The report as text for a terminal.

use super::words;
use crate::escape::{Escaped, Prose, TestName, columns, cut};
use crate::output::Style;
use crate::output::line::{CAUSE, DIM, ERROR, Line, NAME, PLAIN};
use crate::output::wrap;
use crate::report::{Foreign, Group, LeftOut, Report, Side};

/// Rows per table; the HTML page has more.
const ROWS: usize = 10;
/// Groups of refusals per port.
const KINDS: usize = 3;
/// Columns of a count.
const COUNT: usize = 6;
/// The minimum width of a sentence.
const LEAST: usize = 24;

/// The report, with an empty line between its parts.
pub(super) fn page(report: &Report, style: &Style) -> String {
    let mut page = Page { style, text: String::new() };
    page.head(report);
    page.causes(report);
    page.ports(report);
    page.pairs(report);
    page.swallowed(report);
    page.leaks(report);
    page.gaps(report);
    page.text
}

struct Page<'a> {
    style: &'a Style,
    text: String,
}

impl Page<'_> {
    fn push(&mut self, line: &Line) {
        line.render(self.style.color, self.style.width, &mut self.text);
    }

    fn title(&mut self, words: &str) {
        self.text.push('\n');
        let mut line = Line::default();
        line.push(NAME, words);
        self.push(&line);
    }

    fn head(&mut self, report: &Report) {
        let mut line = Line::default();
        line.push(NAME, words::refusals(report.totals.all()));
        if let Some(period) = report.period {
            line.push(PLAIN, format!("  {}", words::period(period, &self.style.zone)));
        }
        self.push(&line);
    }

    fn causes(&mut self, report: &Report) {
        if report.causes.rows.is_empty() {
            return;
        }
        self.title("why");
        let width =
            report.causes.rows.iter().map(|row| Escaped(row.code.unescaped()).to_string().len()).max();
        let width = width.unwrap_or(0).min(32);
        for row in report.causes.rows.iter().take(ROWS) {
            let mut line = counted(row.count);
            line.column(CAUSE, &Escaped(row.code.unescaped()).cut(width), width + 1);
            self.sentence(line, row.summary.unescaped(), None);
        }
        self.more(
            rest(report.causes.rows.iter().map(|row| row.count), report.causes.left_out),
            "cause",
            "causes",
        );
    }

    fn ports(&mut self, report: &Report) {
        if report.ports.rows.is_empty() {
            return;
        }
        self.title("ports");
        for row in report.ports.rows.iter().take(ROWS) {
            let mut line = counted(row.count);
            line.push(NAME, words::place(&row.place));
            line.push(DIM, format!("  {}", row.place.class()));
            self.push(&line);
            for group in row.groups.rows.iter().take(KINDS) {
                self.group(group);
            }
        }
        self.more(
            rest(report.ports.rows.iter().map(|row| row.count), report.ports.left_out),
            "port",
            "ports",
        );
    }

    fn group(&mut self, group: &Group) {
        let mut line = indented();
        line.push(PLAIN, format!("{}×  ", group.count));
        line.push(CAUSE, format!("[{}]  ", Escaped(group.cause.unescaped())));
        side(&group.caller.side, &mut line);
        line.push(DIM, " refused by ");
        match &group.holder {
            Some((holder, _)) => side(&holder.side, &mut line),
            None => line.push(DIM, "nobody who was found"),
        }
        if group.swallowed > 0 {
            line.push(ERROR, format!("  {}", words::swallowed(group)));
        }
        self.push(&line);
        if let Some(fix) = group.fixes.first() {
            let mut line = indented();
            line.push(DIM, "fix  ");
            self.sentence(line, fix.text.unescaped(), fix.command.as_ref().map(Foreign::unescaped));
        }
    }

    fn pairs(&mut self, report: &Report) {
        if report.pairs.rows.is_empty() {
            return;
        }
        self.title("who refused whom");
        for row in report.pairs.rows.iter().take(ROWS) {
            let mut line = counted(row.count);
            side(&row.refused, &mut line);
            line.push(DIM, " by ");
            match &row.by {
                Some(by) => side(by, &mut line),
                None => line.push(DIM, "nobody who was found"),
            }
            self.push(&line);
        }
        self.more(
            rest(report.pairs.rows.iter().map(|row| row.count), report.pairs.left_out),
            "pair",
            "pairs",
        );
    }

    fn swallowed(&mut self, report: &Report) {
        if report.swallowed.rows.is_empty() {
            return;
        }
        self.title("swallowed: refused, lived on, and ended without a failure");
        for row in report.swallowed.rows.iter().take(ROWS) {
            let mut line = Line::default();
            line.push(DIM, format!("  {}  ", words::clock(row.refused, &self.style.zone)));
            line.push(NAME, Escaped(row.name.unescaped()).to_string());
            line.push(PLAIN, format!(" ({})", row.pid));
            if let Some((place, cause)) = &row.what {
                line.push(PLAIN, format!("  {}", words::place(place)));
                line.push(CAUSE, format!("  [{}]", Escaped(cause.unescaped())));
            }
            line.push(DIM, format!("  lived on {}", words::millis(row.lived_on_ms)));
            self.push(&line);
        }
        self.others(report.totals.swallowed);
    }

    fn leaks(&mut self, report: &Report) {
        if report.leaks.rows.is_empty() {
            return;
        }
        self.title("leaked: still bound when the command had ended");
        for row in report.leaks.rows.iter().take(ROWS) {
            let mut line = indented();
            line.push(NAME, words::place(&row.place));
            line.push(PLAIN, format!(" {}  held by ", Escaped(row.state.unescaped())));
            side(&row.owner.side, &mut line);
            if let Some(pid) = row.owner.pid {
                line.push(PLAIN, format!(" ({pid})"));
            }
            if let Some(opener) = row.opener.as_ref().filter(|opener| opener.pid != row.owner.pid) {
                line.push(DIM, "  opened by ");
                side(&opener.side, &mut line);
            }
            self.push(&line);
        }
        self.others(report.totals.leaks);
    }

    fn gaps(&mut self, report: &Report) {
        let gaps = words::gaps(report);
        if !gaps.is_empty() {
            self.text.push('\n');
        }
        for gap in gaps {
            let mut line = Line::default();
            line.push(ERROR, gap);
            self.push(&line);
        }
    }

    /// Appends a sentence to a line, wrapped and indented; the command at its end is not wrapped.
    fn sentence(&mut self, mut line: Line, text: &str, command: Option<&str>) {
        let start = line.width();
        let room = self.style.width.map_or(usize::MAX, |width| width.saturating_sub(start).max(LEAST));
        let mut words = String::new();
        for word in wrap::pieces(text, command) {
            if !words.is_empty() && columns(&words) + 1 + columns(&word) > room {
                line.push(PLAIN, std::mem::take(&mut words));
                self.push(&std::mem::take(&mut line));
                line.push(PLAIN, " ".repeat(start));
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&word);
        }
        line.push(PLAIN, words);
        // A command that is cut could be another command.
        let limit = self.style.width.filter(|_| command.is_none());
        line.render(self.style.color, limit, &mut self.text);
    }

    fn more(&mut self, left: LeftOut, one: &str, many: &str) {
        if let Some(words) = words::left_out(left, one, many) {
            let mut line = indented();
            line.push(DIM, words);
            self.push(&line);
        }
    }

    fn others(&mut self, all: u64) {
        let others = all.saturating_sub(ROWS as u64);
        if others > 0 {
            let mut line = indented();
            line.push(DIM, format!("and {others} more"));
            self.push(&line);
        }
    }
}

/// The rows that are not shown.
fn rest(counts: impl Iterator<Item = u64>, mut left: LeftOut) -> LeftOut {
    for count in counts.skip(ROWS) {
        left.add(count);
    }
    left
}

fn counted(count: u64) -> Line {
    let mut line = Line::default();
    line.push(PLAIN, format!("{count:>COUNT$}  "));
    line
}

fn indented() -> Line {
    let mut line = Line::default();
    line.push(PLAIN, " ".repeat(COUNT + 2));
    line
}

fn side(side: &Side, line: &mut Line) {
    line.push(NAME, Prose(side.runs.unescaped()).to_string());
    if let Some(test) = &side.test {
        line.push(PLAIN, format!(" in {}", cut(&TestName(test.unescaped()).to_string(), 60)));
    }
}
