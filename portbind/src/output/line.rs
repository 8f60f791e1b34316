//! A line of styled pieces, whose width is known before it is written.

use anstyle::{AnsiColor, Style};

use crate::escape::{columns, cut};

/// For less important text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For names of programs.
pub(crate) const NAME: Style = Style::new().bold();
/// For errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// For causes.
pub(crate) const CAUSE: Style = AnsiColor::Cyan.on_default();
/// For plain text.
pub(crate) const PLAIN: Style = Style::new();

/// One line, without the newline.
#[derive(Default)]
pub(crate) struct Line {
    pieces: Vec<(Style, String)>,
    width: usize,
}

impl Line {
    /// Adds a piece.
    pub(crate) fn push(&mut self, style: Style, text: impl Into<String>) {
        let text = text.into();
        self.width += columns(&text);
        self.pieces.push((style, text));
    }

    /// Adds a piece, padded with blanks to `width`, and one more blank.
    pub(crate) fn column(&mut self, style: Style, text: &str, width: usize) {
        self.push(style, text);
        self.push(PLAIN, " ".repeat(width.saturating_sub(columns(text)) + 1));
    }

    /// The width in columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Appends the line and a newline, cut at `limit` if there is one.
    pub(crate) fn render(&self, color: bool, limit: Option<usize>, out: &mut String) {
        let mut left = limit.unwrap_or(usize::MAX);
        let mut line = String::new();
        let mut pieces = self.pieces.iter().peekable();
        while let Some((style, text)) = pieces.next() {
            let last = pieces.peek().is_none();
            let fits = columns(text) < left || (last && columns(text) == left);
            let shown = if fits { text.clone() } else { cut(&format!("{text}…"), left).into_owned() };
            if color && *style != PLAIN {
                line.push_str(&format!("{style}{shown}{style:#}"));
            } else {
                line.push_str(&shown);
            }
            left = left.saturating_sub(columns(&shown));
            if !fits {
                break;
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}
