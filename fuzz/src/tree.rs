//! A folder of files that other programs have written, made anew from each input.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::LocalKey;

use tempfile::TempDir;

/// What stands before the name of a file in the input; the name ends with the line.
const MARK: &[u8] = b"=== ";
/// Bytes of the target of a link.
const MAX_LINK: usize = 4000;

/// A folder below which only files of known names are written.
///
/// An input is text that can be read: `=== NAME`, and on the next lines what is in the file of that name. Names
/// that are not known are passed over, and files that the input does not name are absent.
pub(crate) struct Tree {
    root: TempDir,
    names: &'static [&'static str],
}

impl Tree {
    /// An empty one. Names that begin with `@` are links.
    pub(crate) fn new(names: &'static [&'static str]) -> Option<Self> {
        let root = tempfile::tempdir().ok()?;
        for name in names {
            fs::create_dir_all(path(root.path(), name).parent()?).ok()?;
        }
        Some(Self { root, names })
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Writes the files of an input.
    pub(crate) fn fill(&self, input: &[u8]) {
        for name in self.names {
            let path = path(self.root(), name);
            let done = match (contents(input, name), name.starts_with('@')) {
                (None, _) => remove(&path),
                (Some(bytes), false) => fs::write(&path, bytes),
                (Some(bytes), true) => remove(&path).and_then(|()| link(bytes, &path)),
            };
            assert!(done.is_ok(), "{}: {done:?}", path.display());
        }
    }
}

fn path(root: &Path, name: &str) -> std::path::PathBuf {
    root.join(name.trim_start_matches('@'))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A link cannot be empty, and its target holds no NUL.
fn link(target: &[u8], path: &Path) -> std::io::Result<()> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let line = target.split(|&byte| byte == b'\n' || byte == 0).next().unwrap_or_default();
    match line.get(..MAX_LINK).unwrap_or(line) {
        [] => Ok(()),
        line => symlink(OsStr::from_bytes(line), path),
    }
}

/// What the input says is in the file; of several sections of this name the first.
fn contents<'a>(input: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let heading = [MARK, name.as_bytes(), b"\n"].concat();
    let at = |from: usize| {
        let rest = input.get(from..)?;
        rest.windows(heading.len()).position(|window| window == heading).map(|found| from + found)
    };
    let mut start = at(0)?;
    while start > 0 && input.get(start - 1) != Some(&b'\n') {
        start = at(start + 1)?;
    }
    let rest = input.get(start + heading.len()..)?;
    let end = rest.windows(MARK.len() + 1).position(|window| window == b"\n=== ");
    Some(end.and_then(|end| rest.get(..end)).unwrap_or(rest))
}

/// Fills the tree of this thread with `data`, and has it looked at.
pub(crate) fn with_tree(tree: &'static LocalKey<Option<Tree>>, data: &[u8], look: impl FnOnce(&Tree)) {
    tree.with(|tree| {
        assert!(tree.is_some(), "no folder for files");
        if let Some(tree) = tree {
            tree.fill(data);
            look(tree);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections() {
        let input = b"ignored\n=== a\none\ntwo\n=== b\n\n=== unknown\nx === c\n=== c\nlast\n=== a\nagain";
        let cases: [(&str, Option<&[u8]>); 4] =
            [("a", Some(b"one\ntwo")), ("b", Some(b"")), ("c", Some(b"last")), ("d", None)];
        for (name, expected) in cases {
            assert_eq!(contents(input, name), expected, "{name}");
        }
    }

    #[test]
    fn files_are_those_of_the_last_input() {
        let tree = Tree::new(&["folder/a", "@folder/link"]).unwrap();
        tree.fill(b"=== folder/a\n7\n=== @folder/link\nnet:[9]\n");
        assert_eq!(fs::read(tree.root().join("folder/a")).unwrap(), b"7");
        assert_eq!(fs::read_link(tree.root().join("folder/link")).unwrap(), Path::new("net:[9]"));
        tree.fill(b"=== folder/a\n");
        assert_eq!(fs::read(tree.root().join("folder/a")).unwrap(), b"");
        assert!(!tree.root().join("folder/link").is_symlink());
    }
}
