//! Compares what portbind showed with what a row demands.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::row::Row;
use super::shown::Shown;

/// The refusal that the row describes; an error if it differs, or if the row does not explain another refusal.
pub(crate) fn find<'a>(row: &Row, shown: &'a Shown) -> anyhow::Result<&'a Value> {
    let expected = shown.refusals.iter().find(|refusal| cause(refusal) == row.cause);
    let refusal = expected.or_else(|| shown.refusals.first()).context("portbind recorded no refusal")?;
    compare(row, refusal)?;
    let line = shown.held_by(&row.cause);
    ensure!(line.contains(&row.holder), "the holder is not {:?}: {line:?}", row.holder);
    for other in &shown.refusals {
        let is_retry = cause(other) == row.cause && place(other) == place(refusal);
        let is_known = row.also.iter().any(|code| code == cause(other));
        ensure!(
            is_retry || is_known,
            "a refusal that the row does not list: {} {}",
            cause(other),
            place(other)
        );
    }
    Ok(refusal)
}

fn compare(row: &Row, refusal: &Value) -> anyhow::Result<()> {
    let word = |place: &str| refusal.pointer(place).and_then(Value::as_str);
    let fixes = refusal["fixes"].as_array().context("no remedies")?;
    let codes: Vec<&str> = fixes.iter().filter_map(|fix| fix["code"].as_str()).collect();
    let shown = (word("/cause/code"), word("/relation/code"), codes.first().copied());
    let wanted = (Some(&*row.cause), row.relation.as_deref(), row.first.as_deref());
    ensure!(shown == wanted, "expected {wanted:?}, got {shown:?}");
    let useless: Vec<&&str> =
        codes.iter().filter(|code| row.never.iter().any(|never| never == *code)).collect();
    ensure!(useless.is_empty(), "useless remedies: {useless:?}");
    let summary = word("/cause/summary").unwrap_or_default();
    ensure!(summary.contains(&row.says), "the cause does not say {:?}: {summary}", row.says);
    Ok(())
}

fn cause(refusal: &Value) -> &str {
    refusal.pointer("/cause/code").and_then(Value::as_str).unwrap_or_default()
}

/// What was asked for.
fn place(refusal: &Value) -> String {
    let socket = &refusal["socket"];
    ["protocol", "address", "port", "path"].map(|key| socket[key].to_string()).join(" ")
}
