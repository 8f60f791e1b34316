//! Written lines conform to the schema, and are read back unchanged.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::command::{End, Leak, Outcome};
use super::process::Relative;
use super::refusal::{Refusal, SCHEMA};
use super::report::Report;
use super::run::Summary;
use super::schema::json_schema;
use super::time::Time;
use crate::event::{Account, Gaps, portless_samples, samples};
use crate::report;

#[track_caller]
fn check<T: Serialize + DeserializeOwned>(line: &T) {
    let written = serde_json::to_value(line).unwrap();
    let schema = jsonschema::validator_for(json_schema().as_value()).unwrap();
    if let Err(error) = schema.validate(&written) {
        panic!("{error}\n{written:#}");
    }
    let read: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn refusals() {
    for refusal in samples::all().iter().chain(&portless_samples::all()) {
        check(&Refusal::from(refusal));
    }
}

#[test]
fn lines_of_a_command() {
    let time = Time(samples::listener().time);
    let process = Relative { pid: 7, comm: "pytest".into() };
    let (schema, listener) = (SCHEMA, samples::listener());
    check(&Outcome {
        schema: schema.into(),
        kind: "outcome".into(),
        time: None,
        refused: time,
        process,
        lived_on_ms: 1.5,
        exit_status: None,
        signal: Some(9),
        swallowed: true,
    });
    let socket = (&listener.holders[0]).into();
    check(&Leak { schema: schema.into(), kind: "leak".into(), time, netns: 1, socket });
    let end = End {
        schema: schema.into(),
        kind: "end".into(),
        time,
        started: time,
        exit_status: Some(1),
        signal: None,
    };
    check(&end);
}

#[test]
fn the_account() {
    check(&Summary::new(&Account::default(), &Gaps::default(), Duration::from_millis(1500)));
}

#[test]
fn reports() {
    check(&Report::from(&report::tests::everything()));
    check(&Report::from(&report::Report::default()));
}

#[test]
fn another_kind_is_not_of_the_schema() {
    let schema = jsonschema::validator_for(json_schema().as_value()).unwrap();
    let mut written = serde_json::to_value(Refusal::from(&samples::listener())).unwrap();
    assert!(schema.is_valid(&written));
    written["kind"] = "release".into();
    assert!(!schema.is_valid(&written));
    written["kind"] = "refusal".into();
    written["process"]["pid"] = "7".into();
    assert!(!schema.is_valid(&written));
}
