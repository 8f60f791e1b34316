//! A row of the corpus: a bash script with a header of comment lines.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// How many seconds a row may take; TIME_WAIT alone takes 60.
const LIMIT: u64 = 30;

/// One situation, and what portbind must show of it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The name of the file, without `.sh`.
    pub(crate) name: String,
    /// The script.
    pub(crate) path: PathBuf,
    /// Public reports: `owner/repo#number` or an address.
    pub(crate) report: Vec<String>,
    /// The situation, in one sentence.
    pub(crate) situation: String,
    /// Programs and modules that the script starts.
    pub(crate) needs: Vec<String>,
    /// Code of the cause.
    pub(crate) cause: String,
    /// Words of the line that describes the first holder; empty if there is none.
    pub(crate) holder: String,
    /// Code of the relation.
    pub(crate) relation: Option<String>,
    /// Code of the first remedy.
    pub(crate) first: Option<String>,
    /// Codes that must not be among the remedies.
    pub(crate) never: Vec<String>,
    /// Words of the cause's sentence.
    pub(crate) says: String,
    /// Causes of further refusals that the situation has.
    pub(crate) also: Vec<String>,
    /// Whether continuous integration plays the row.
    pub(crate) is_for_ci: bool,
    /// How many seconds the row may take.
    pub(crate) limit: u64,
    /// What portbind shows wrongly today.
    pub(crate) wrong: Option<String>,
}

impl Row {
    /// Reads a script's header.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)?;
        let name = path.file_stem().context("no name")?.to_string_lossy().into_owned();
        let mut row = Self { name, path: path.to_owned(), limit: LIMIT, ..Self::default() };
        for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
            let (key, value) = line.split_once(": ").with_context(|| format!("no `key: value`: {line}"))?;
            row.set(key, value.trim()).with_context(|| path.display().to_string())?;
        }
        row.check(&text).with_context(|| path.display().to_string())?;
        Ok(row)
    }

    fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        let words = || value.split_whitespace().map(str::to_owned).collect();
        let optional = || Some(value.to_owned()).filter(|value| value != "none");
        match key {
            "report" => self.report = words(),
            "situation" => self.situation = value.to_owned(),
            "needs" => self.needs = words(),
            "cause" => self.cause = value.to_owned(),
            "holder" => self.holder = optional().unwrap_or_default(),
            "relation" => self.relation = optional(),
            "first" => self.first = optional(),
            "never" => self.never = words(),
            "says" => self.says = value.to_owned(),
            "also" => self.also = words(),
            "limit" => self.limit = value.parse()?,
            "wrong" => self.wrong = optional(),
            "ci" => {
                self.is_for_ci = match value {
                    "yes" => true,
                    "by hand" => false,
                    _ => bail!("ci is `yes` or `by hand`"),
                }
            }
            _ => bail!("unknown key: {key}"),
        }
        Ok(())
    }

    fn check(&self, text: &str) -> anyhow::Result<()> {
        for key in ["report", "situation", "needs", "cause", "holder", "relation", "first", "ci"] {
            ensure!(text.contains(&format!("# {key}: ")), "`# {key}: ` is missing");
        }
        let is_known = |code: &String| portbind::event::Code::ALL.iter().any(|known| known.as_str() == code);
        ensure!(is_known(&self.cause) && self.also.iter().all(is_known), "no such cause");
        for function in ["refused", "fixed"] {
            let is_needed = function != "fixed" || self.first.is_some();
            ensure!(!is_needed || text.contains(&format!("{function}() {{")), "no function {function}");
        }
        Ok(())
    }
}

/// All rows of a folder, by name.
pub(crate) fn load(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let folder = std::path::absolute(folder)?;
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "sh") && !path.ends_with("lib.sh"));
    paths.sort();
    paths.iter().map(|path| Row::read(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const HEADER: &str = "# report: a/b#1\n# situation: Two servers.\n# needs: nginx\n# cause: listener\n\
                          # holder: nginx\n# relation: none\n# first: stop-holder\n# ci: yes\n";

    fn read(text: &str) -> anyhow::Result<Row> {
        // Tests run at the same time.
        let file = Scratch::new(&format!("{:?}.sh", std::thread::current().id()));
        fs::write(file.path(), text).unwrap();
        Row::read(file.path())
    }

    #[test]
    fn header_is_read() {
        let row = read(&format!("{HEADER}\nrefused() {{ true; }}\nfixed() {{ true; }}\n")).unwrap();
        assert_eq!(
            (&*row.cause, row.relation, row.first.as_deref()),
            ("listener", None, Some("stop-holder"))
        );
        assert!(row.is_for_ci && row.wrong.is_none() && row.needs == ["nginx"]);
    }

    #[test]
    fn missing_and_unknown_fields_are_errors() {
        let functions = "\nrefused() { true; }\nfixed() { true; }\n";
        for (from, to) in [
            ("listener", "listens"),
            ("# ci: yes", "# ci: no"),
            ("# relation: none\n", ""),
            ("# first:", "# fist:"),
        ] {
            assert!(read(&(HEADER.replace(from, to) + functions)).is_err(), "{to}");
        }
        assert!(read(&format!("{HEADER}\nrefused() {{ true; }}\n")).is_err());
        let without = HEADER.replace("stop-holder", "none");
        assert!(read(&format!("{without}\nrefused() {{ true; }}\n")).is_ok());
    }
}
