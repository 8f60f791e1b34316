//! The variables of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use toml::{Table, Value};

/// The values of one play: the values of the case, and ports that are taken when they are first used.
pub(super) struct Variables<'a, F> {
    case: Option<&'a Table>,
    used: BTreeSet<String>,
    ports: BTreeMap<String, u16>,
    port: F,
}

impl<'a, F: FnMut() -> anyhow::Result<u16>> Variables<'a, F> {
    /// Variables without any ports so far.
    pub(super) const fn new(case: Option<&'a Table>, port: F) -> Self {
        Self { case, used: BTreeSet::new(), ports: BTreeMap::new(), port }
    }

    /// Replaces every `$name` in a step; a name is a capital letter, or lower-case letters and underscores.
    pub(super) fn text(&mut self, text: &str) -> anyhow::Result<String> {
        let mut parts = text.split('$');
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_at(name_length(part));
            match self.value(name)? {
                Value::String(value) => replaced.push_str(&value),
                Value::Integer(value) => replaced.push_str(&value.to_string()),
                _ => bail!("${name} is neither a text nor a number, and cannot be part of a step"),
            }
            replaced.push_str(rest);
        }
        Ok(replaced)
    }

    /// Replaces every string that consists of a `$name` in a value of an event.
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
            self.used.insert(name.to_owned());
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

    /// Checks that every value of the case has been used.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        let mut names = self.case.into_iter().flat_map(Table::keys);
        match names.find(|name| !self.used.contains(*name)) {
            Some(name) => bail!("the case has {name}, but no step and no event has ${name}"),
            None => Ok(()),
        }
    }
}

/// The length of the name at the start of a text.
fn name_length(text: &str) -> usize {
    if text.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        return 1;
    }
    text.find(|letter: char| !(letter.is_ascii_lowercase() || letter == '_')).unwrap_or(text.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_within_a_step() {
        let case = toml::from_str("held = 'tcp 127.0.0.1'\noptions = ''\nfixes = []").unwrap();
        let mut next = 10_000;
        let mut variables = Variables::new(Some(&case), || {
            next += 1;
            Ok(next)
        });
        let text = variables.text("a: bind old $held:$A $options").unwrap();
        assert_eq!(text, "a: bind old tcp 127.0.0.1:10001 ");
        assert_eq!(variables.text("$B.$A").unwrap(), "10002.10001");
        for (wrong, why) in [
            ("$asked:$A", "$asked has no value in this case"),
            ("5$", "$ has no value in this case"),
            ("$fixes", "$fixes is neither a text nor a number, and cannot be part of a step"),
        ] {
            assert_eq!(variables.text(wrong).unwrap_err().to_string(), why);
        }
        variables.replace(&Value::from("$fixes")).unwrap();
        variables.finish().unwrap();
    }

    #[test]
    fn a_value_that_nothing_uses_is_an_error() {
        let case = toml::from_str("held = '::1'").unwrap();
        let error = Variables::new(Some(&case), || Ok(1)).finish().unwrap_err();
        assert_eq!(error.to_string(), "the case has held, but no step and no event has $held");
    }
}
