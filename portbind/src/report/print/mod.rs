//! Prints reports: for people on a terminal ([`text`]), for browsers ([`html`]) and for programs ([`json`]).

use std::io;

use crate::output::jsonl;
use crate::output::style::Style;
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

/// Writes a report as text, for people.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn text(report: &Report, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(text::page(report, style).as_bytes())
}

/// Writes a report as one HTML page that needs nothing else: no script, no other file, no network.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn html(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(html::page(report).into_string().as_bytes())
}

/// Writes a report as one line of JSON.
///
/// # Errors
///
/// Those of the writer, unchanged.
pub fn json(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    jsonl::line(wire::report::Report::from(report), Secrets::Masked, out)
}
