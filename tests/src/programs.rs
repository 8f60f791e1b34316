//! The programs that tests start, by their paths: the ones in `table`, which setup installs. Other programs on the
//! machine are used only on request; skipped parts are reported.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::ensure;

mod table;

pub(crate) use table::*;

/// The search path of scripts: the folders of the paths in the table.
pub(crate) const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Optional programs, which are not in the table.
pub(crate) const NODE: Program = program("node", "nodejs", "/usr/bin/node");

impl Program {
    /// A command that starts the program.
    ///
    /// # Errors
    ///
    /// If the program is missing.
    pub(crate) fn command(self) -> anyhow::Result<Command> {
        self.is_there()?;
        Ok(Command::new(self.path))
    }

    /// Checks that the program exists.
    ///
    /// # Errors
    ///
    /// If the program is missing.
    pub(crate) fn is_there(self) -> anyhow::Result<()> {
        let Self { name, package, path } = self;
        let is_there = Path::new(path).is_file();
        ensure!(is_there, "{name} is missing: `cargo xtask setup` installs {path}, of the package {package}");
        Ok(())
    }
}

/// Skipped parts of checks, and the reasons.
#[derive(Debug, Default)]
pub struct Skipped(Mutex<Vec<(String, String)>>);

impl Skipped {
    /// Records a skipped part once.
    pub(crate) fn note(&self, what: &str, reason: &str) {
        let mut skipped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !skipped.iter().any(|(other, _)| other == what) {
            skipped.push((what.to_owned(), reason.to_owned()));
        }
    }

    /// Whether a test uses this program: always if setup installs it; otherwise if `may` is set and the program exists.
    pub(crate) fn lets_use(&self, program: Program, may: bool) -> bool {
        let Program { name, package, path } = program;
        if INSTALLED.contains(&program) || (may && program.is_there().is_ok()) {
            return true;
        }
        if may {
            self.note(name, &format!("there is no {path}, of the package {package}"));
        } else {
            self.note(name, "`cargo xtask setup` does not install it (--others uses it)");
        }
        false
    }

    /// The parts skipped since the last call.
    pub fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn paths_are_whole_and_in_the_folders_of_scripts() {
        for Program { name, package, path } in INSTALLED.iter().chain([&NODE]) {
            let (folder, file) = path.rsplit_once('/').unwrap();
            assert!(PATH.split(':').any(|known| known == folder), "{path}");
            assert!(file.starts_with(name) && !package.is_empty(), "{name}");
        }
        let names: BTreeSet<&str> = INSTALLED.iter().map(|program| program.name).collect();
        assert_eq!(names.len(), INSTALLED.len(), "a name is there twice");
    }

    #[test]
    fn others_are_skipped_once_and_listed() {
        let skipped = Skipped::default();
        assert!(skipped.lets_use(PYTHON, false));
        assert!(!skipped.lets_use(NODE, false) && !skipped.lets_use(NODE, false));
        let [(name, reason)] = &skipped.take()[..] else { panic!("not one") };
        assert!(*name == "node" && reason.contains("setup"), "{reason}");
        assert!(skipped.take().is_empty());
    }

    /// Every program is started through the table.
    #[test]
    fn no_test_starts_a_program_by_its_name() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut complaints = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    let starts = text.split(concat!("Command::new", "(\"")).skip(1);
                    let words = starts.filter_map(|rest| rest.split_once('"'));
                    // The part of this program, and the programs in /bin of the test machine.
                    let names = words.map(|(word, _)| word).filter(|word| {
                        !["/proc/self/exe", "/bin/portbind-tests", "/bin/xtask"].contains(word)
                    });
                    complaints.extend(names.map(|word| format!("{}: {word}", path.display())));
                }
            }
        }
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}
