//! The variables of a scenario.

use std::collections::BTreeMap;

use anyhow::bail;
use toml::{Table, Value};

/// The values of one repetition: those of the case, and ports as they come up.
pub(super) struct Variables<'a, F> {
    case: Option<&'a Table>,
    ports: BTreeMap<String, u16>,
    port: F,
}

impl<'a, F: FnMut() -> anyhow::Result<u16>> Variables<'a, F> {
    /// No port yet.
    pub(super) const fn new(case: Option<&'a Table>, port: F) -> Self {
        Self { case, ports: BTreeMap::new(), port }
    }

    /// The value with every string `$name` in it replaced.
    pub(super) fn replace(&mut self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.value(name)?,
                None => value.clone(),
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.replace(item)).collect::<Result<_, _>>()?)
            }
            Value::Table(table) => {
                let mut replaced = Table::new();
                for (key, item) in table {
                    replaced.insert(key.clone(), self.replace(item)?);
                }
                Value::Table(replaced)
            }
            _ => value.clone(),
        })
    }

    /// The value of one variable.
    fn value(&mut self, name: &str) -> anyhow::Result<Value> {
        if let Some(value) = self.case.and_then(|case| case.get(name)) {
            return Ok(value.clone());
        }
        if !(name.len() == 1 && name.starts_with(|letter: char| letter.is_ascii_uppercase())) {
            bail!("${name} has no value in this case");
        }
        if let Some(port) = self.ports.get(name) {
            return Ok(Value::Integer((*port).into()));
        }
        let port = (self.port)()?;
        self.ports.insert(name.to_owned(), port);
        Ok(Value::Integer(port.into()))
    }
}

/// The name of a scenario with the values of its case.
pub(super) fn title(name: &str, case: Option<&Table>) -> String {
    let Some(case) = case else {
        return name.to_owned();
    };
    let values = case.values().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    format!("{name} [{}]", values.collect::<Vec<_>>().join(" "))
}
