//! The causes that scenario files expect.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml::Value;

/// The codes that the scenarios of a folder expect.
pub(super) fn causes(folder: &Path) -> Result<BTreeSet<String>> {
    let mut causes = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let file: toml::Table = toml::from_str(&text).with_context(|| path.display().to_string())?;
        for scenario in list(file.get("scenario")) {
            collect(scenario, &mut causes);
        }
    }
    Ok(causes)
}

/// The codes of one scenario; `$name` stands for the value in each case.
fn collect(scenario: &Value, causes: &mut BTreeSet<String>) {
    for event in list(scenario.get("event")) {
        let Some(cause) = event.get("cause").and_then(Value::as_str) else { continue };
        match cause.strip_prefix('$') {
            None => drop(causes.insert(cause.to_owned())),
            Some(name) => {
                let values = list(scenario.get("cases")).iter().filter_map(|case| case.get(name)?.as_str());
                causes.extend(values.map(str::to_owned));
            }
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_from_events_and_cases() {
        let scenario: Value = toml::from_str(
            "cases = [{ code = 'b' }, { code = 'c' }]\n\
             [[event]]\ncause = 'a'\n[[event]]\ncause = '$code'\n[[event]]\nno_holder = true",
        )
        .unwrap();
        let mut causes = BTreeSet::new();
        collect(&scenario, &mut causes);
        assert_eq!(causes.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
