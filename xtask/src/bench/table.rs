//! The measurements as a table for the terminal and for docs/performance.md.

use super::stats::Spread;

/// The goal for portbind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// There is no goal.
    None,
    /// No more than this, in the row's unit.
    AtMost(f64),
    /// At most this many times the value of this other tool.
    OfPeer(f64, &'static str),
}

/// One measurement of one tool.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The description of the measurement.
    pub(super) what: String,
    /// The tool.
    pub(super) tool: String,
    /// The values.
    pub(super) spread: Spread,
    /// The unit of the values.
    pub(super) unit: &'static str,
    /// The goal for portbind.
    pub(super) goal: Goal,
}

/// Rows that belong together.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Its name on the command line and in the page.
    pub(super) name: &'static str,
    /// Its heading.
    pub(super) title: String,
    /// The rows.
    pub(super) rows: Vec<Row>,
    /// Notes below the table, one paragraph each.
    pub(super) notes: Vec<String>,
}

impl Section {
    /// The section as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        if !self.rows.is_empty() {
            text.push_str("| what | tool | median | quartiles | × portbind | goal | |\n");
            text.push_str("|---|---|---:|---:|---:|---|---|\n");
        }
        for row in &self.rows {
            let Spread { median, low, high } = row.spread;
            let ours = self.rows.iter().find(|other| other.what == row.what && other.is_ours());
            let times = match ours {
                Some(ours) if !row.is_ours() && ours.spread.median > 0.0 => {
                    number(median / ours.spread.median)
                }
                _ => String::new(),
            };
            let (goal, verdict) = self.judge(row);
            text.push_str(&format!(
                "| {} | {} | {} {} | {} to {} | {times} | {goal} | {verdict} |\n",
                row.what,
                row.tool,
                number(median),
                row.unit,
                number(low),
                number(high),
            ));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text
    }

    /// The goal of a row in words, and whether it is met.
    fn judge(&self, row: &Row) -> (String, &'static str) {
        let (words, limit) = match row.goal {
            _ if !row.is_ours() => return (String::new(), ""),
            Goal::None => return (String::new(), ""),
            Goal::AtMost(most) => (format!("≤ {} {}", number(most), row.unit), Some(most)),
            Goal::OfPeer(times, peer) => {
                let its = self.rows.iter().find(|other| other.what == row.what && other.tool == peer);
                (format!("≤ {} × {peer}", number(times)), its.map(|peer| peer.spread.median * times))
            }
        };
        let verdict = match limit {
            None => "not measured",
            Some(limit) if row.spread.median <= limit => "met",
            Some(_) => "**not met**",
        };
        (words, verdict)
    }
}

impl Row {
    fn is_ours(&self) -> bool {
        self.tool.starts_with("portbind")
    }
}

/// Three significant digits, or all digits of a whole number.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tool: &str, median: f64, goal: Goal) -> Row {
        let spread = Spread { median, low: median, high: median };
        Row { what: "start".to_owned(), tool: tool.to_owned(), spread, unit: "ms", goal }
    }

    #[test]
    fn goals_and_ratios() {
        let goal = Goal::OfPeer(0.5, "bpftrace");
        let rows = vec![row("portbind", 30.0, goal), row("bpftrace", 200.0, goal)];
        let section = Section { name: "start", title: "Start".to_owned(), rows, notes: vec![] };
        let text = section.markdown();
        assert!(text.contains("| start | portbind | 30.0 ms | 30.0 to 30.0 |  | ≤ 0.50 × bpftrace | met |"));
        assert!(text.contains("| start | bpftrace | 200 ms | 200 to 200 | 6.67 |  |  |"), "{text}");
    }

    #[test]
    fn missed_and_unknown() {
        let missed = row("portbind", 30.0, Goal::AtMost(10.0));
        let unknown = row("portbind", 30.0, Goal::OfPeer(1.0, "nobody"));
        let section = Section { name: "", title: String::new(), rows: vec![], notes: vec![] };
        assert_eq!(section.judge(&missed).1, "**not met**");
        assert_eq!(section.judge(&unknown).1, "not measured");
    }
}
