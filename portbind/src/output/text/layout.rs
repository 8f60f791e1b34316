//! Layout of text lines: labels, groups of words, wrapped sentences.

use crate::escape::columns;
use crate::output::line::{DIM, Line, NAME, PLAIN};
use crate::output::style::Style;
use crate::output::wrap;

/// Indentation of the lines below the first.
pub(super) const INDENT: usize = 12;
/// The least width to which a sentence is wrapped.
const MIN_SENTENCE: usize = 20;

/// The label of a line below the first.
pub(in crate::output) fn label(label: &str) -> Line {
    let mut line = Line::default();
    line.push(DIM, format!("  {label:<10}"));
    line
}

/// Appends the name of a process, already escaped, and its pid.
pub(super) fn who(name: String, pid: u32, line: &mut Line) {
    line.push(NAME, name);
    line.push(PLAIN, format!(" ({pid})  "));
}

/// Appends groups of words to a line; groups that do not fit go below it.
pub(super) fn spread(mut line: Line, groups: Vec<String>, style: &Style) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in groups {
        let gap = if line.width() > INDENT { "   " } else { "" };
        let needed = line.width() + gap.len() + columns(&group);
        if gap.is_empty() || style.width.is_none_or(|width| needed <= width) {
            line.push(PLAIN, format!("{gap}{group}"));
        } else {
            lines.push(std::mem::replace(&mut line, label("")));
            line.push(PLAIN, group);
        }
    }
    lines.push(line);
    lines
}

/// The width for a sentence.
pub(super) fn room(style: &Style) -> usize {
    style.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(MIN_SENTENCE))
}

/// A sentence after a label, wrapped. A command at its end is not wrapped.
pub(in crate::output) fn sentence(word: &str, text: &str, command: Option<&str>, style: &Style) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = label(word);
    let mut sentence = String::new();
    for word in wrap::pieces(text, command) {
        if !sentence.is_empty() && columns(&sentence) + 1 + columns(&word) > room(style) {
            line.push(PLAIN, std::mem::take(&mut sentence));
            lines.push(std::mem::replace(&mut line, label("")));
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(&word);
    }
    line.push(PLAIN, sentence);
    lines.push(line);
    lines
}

/// Keeps the first lines, and counts the rest.
pub(super) fn at_most<T>(
    most: usize,
    mut all: impl Iterator<Item = T>,
    lines: impl FnMut(T) -> Vec<Line>,
) -> Vec<Line> {
    let mut shown: Vec<Line> = all.by_ref().take(most).flat_map(lines).collect();
    let more = all.count();
    shown.extend((more > 0).then(|| note(format!("and {more} more"))));
    shown
}

/// A remark about the lines above it.
pub(super) fn note(text: impl Into<String>) -> Line {
    let mut line = label("");
    line.push(DIM, text);
    line
}

/// Renders lines without a limit of their width.
pub(in crate::output) fn rendered(lines: &[Line], style: &Style) -> String {
    let mut text = String::new();
    for line in lines {
        line.render(style.color, None, &mut text);
    }
    text
}
