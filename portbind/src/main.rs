//! The `portbind` command: parses, runs, reports.
fn main() {}
