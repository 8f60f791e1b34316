//! Prints reports as text, as HTML ([`html`]) and as JSON.

use std::io;

use crate::output::{Document, Style, jsonl};
use crate::report::Report;
use crate::secrets::Secrets;
use crate::wire;

#[cfg(test)]
mod extremes_tests;
mod html;
mod json;
#[cfg(test)]
mod tests;
mod text;
mod words;

/// Writes a report as one self-contained HTML page: no script, no other file, no network.
///
/// # Errors
///
/// The writer's errors, unchanged.
pub fn html(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(html::page(report).into_string().as_bytes())
}

impl Document for Report {
    fn text(&self, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(text::page(self, style).as_bytes())
    }

    fn json(&self, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        jsonl::line(wire::report::Report::from(self), Secrets::Masked, out)
    }
}
