//! The JSON Schema of every line.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::answer::{Check, Freed, Wait, Who};
use super::command::{Command, End, Leak, Outcome};
use super::comparison::Comparison;
use super::explanation::Explanation;
use super::refusal::{Refusal, SCHEMA};
use super::report::Report;
use super::run::{Release, Repeat, Summary};

/// The schema of a line, which is of one of the kinds.
#[must_use]
pub fn json_schema() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut kinds = Vec::new();
    let mut add = |kind: &str, schema: Schema| {
        kinds.push(json!({
            "allOf": [schema],
            "properties": { "schema": { "const": SCHEMA }, "kind": { "const": kind } },
        }));
    };
    macro_rules! kinds {
        ($($kind:literal: $type:ty,)*) => { $(add($kind, generator.subschema_for::<$type>());)* };
    }
    kinds! {
        "refusal": Refusal<'_>,
        "release": Release<'_>,
        "repeat": Repeat<'_>,
        "summary": Summary,
        "command": Command<'_>,
        "outcome": Outcome<'_>,
        "leak": Leak<'_>,
        "end": End<'_>,
        "who": Who<'_>,
        "check": Check<'_>,
        "wait": Wait<'_>,
        "free": Freed<'_>,
        "comparison": Comparison<'_>,
        "explanation": Explanation<'_>,
        "report": Report<'_>,
    }
    let mut schema = Schema::default();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), SCHEMA.into());
    schema.insert("description".to_owned(), "One line of `portbind -o json` or of a recording.".into());
    schema.insert("oneOf".to_owned(), Value::Array(kinds));
    schema.insert("$defs".to_owned(), Value::Object(generator.take_definitions(true)));
    schema
}
