//! Prints a refusal in every format of `portbind trace`, and reads it back.

use portbind::event::Refusal;
use portbind::output::{Format, Printer, Style};
use portbind::recording::{Line, Reader};
use portbind::wire;

use crate::harmless;

/// Prints the refusal, checks what is printed, and reads the line of JSON back.
pub(crate) fn in_all_formats(refusal: &Refusal) {
    let mut style = Style::default();
    (style.width, style.history) = (Some(80), true);
    harmless::check_text(&printed(refusal, Format::Text, &style));
    harmless::check_text(&printed(refusal, Format::Brief, &style));
    let json = printed(refusal, Format::Json, &Style::default());
    harmless::check_json(&json);
    let mut reader = Reader::new(json.as_slice());
    let read: Vec<Line> = reader.by_ref().flatten().collect();
    let is_one = matches!(read.as_slice(), [Line::Refusal(line)] if line.process.pid == refusal.process.pid);
    assert!(is_one, "{} is read back as {read:?}, {:?}", json.escape_ascii(), reader.skipped());
    let same = wire::Refusal::from(refusal);
    assert_eq!(same.holders.len(), refusal.holders.len(), "a holder is not written");
}

fn printed(refusal: &Refusal, format: Format, style: &Style) -> Vec<u8> {
    let mut printer = Printer::new(format, style.clone(), Vec::new());
    let written = printer.begin().and_then(|()| printer.event(refusal));
    assert!(written.is_ok(), "{written:?}");
    printer.into_inner()
}
