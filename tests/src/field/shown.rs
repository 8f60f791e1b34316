//! What portbind showed of a row.

use serde_json::Value;

/// What portbind showed of a row.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The refusals that it recorded.
    pub(crate) refusals: Vec<Value>,
    /// Its report, and the output of the refused program.
    pub(crate) text: String,
}

impl Shown {
    /// The line about the first holder in the part of the report that has this cause; empty if there is none.
    pub(crate) fn held_by(&self, cause: &str) -> &str {
        let heading = format!("[{cause}] ×");
        let lines = self.text.lines().skip_while(|line| !line.starts_with(&heading)).skip(1);
        let part = lines.take_while(|line| !line.starts_with('['));
        part.map(str::trim).find(|line| line.starts_with("held by")).unwrap_or_default()
    }
}
