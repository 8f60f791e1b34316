//! Arrows from files to the files that they import, and circles of arrows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::sources::{Import, Module, Sources};

/// For each file the files that it imports, and a path that does it.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The arrows between the files in `folder`, whose library has the name `library`. Root files of programs and libraries
/// are left out. Names of files are relative to `root`.
pub(crate) fn arrows(root: &Path, folder: &str, library: &str) -> Arrows {
    let sources = Sources::read(&root.join(folder));
    let mut package = Package { sources: &sources, library, aliases: BTreeMap::new() };
    package.aliases = sources.imports.iter().filter_map(|import| package.alias(import)).collect();
    let roots: BTreeSet<&PathBuf> =
        sources.files.iter().filter(|(module, _)| module.len() == 1).map(|(_, file)| file).collect();
    let name = |file: &Path| file.strip_prefix(root).unwrap_or(file).to_str().unwrap().to_owned();
    let mut arrows = Arrows::new();
    for import in &sources.imports {
        let from = &sources.files[&import.from];
        let Some(to) = package.file(import) else { continue };
        if from != to && !roots.contains(from) && !roots.contains(to) {
            let word = if import.name.is_some() { "use " } else { "" };
            let text = format!("{word}{}", import.path.join("::"));
            arrows.entry(name(from)).or_default().entry(name(to)).or_insert(text);
        }
    }
    arrows
}

/// The modules of a package, in which paths are looked up.
struct Package<'a> {
    sources: &'a Sources,
    library: &'a str,
    /// Modules by the names that `use` declarations give to the modules.
    aliases: BTreeMap<Module, Module>,
}

impl<'a> Package<'a> {
    /// The module that a path leads to, as far as the path names modules; and whether the whole path does.
    fn module(&self, import: &Import) -> Option<(Module, bool)> {
        let first = import.path.first()?;
        let beside = child(&import.from, first);
        let (mut module, known) = match first.as_str() {
            "crate" => (import.from[..1].to_vec(), 1),
            "self" | "super" => (import.from.clone(), 0),
            _ if self.sources.files.contains_key(&beside) => (beside, 1),
            name if name == self.library => (vec!["lib".to_owned()], 1),
            _ => (self.aliases.get(&beside)?.clone(), 1),
        };
        for name in import.path.iter().skip(known) {
            let inner = child(&module, name);
            match name.as_str() {
                "self" => {}
                "super" => drop(module.pop()),
                _ if self.sources.files.contains_key(&inner) => module = inner,
                _ => return Some((module, false)),
            }
        }
        Some((module, true))
    }

    /// The file of the module that a path leads to.
    fn file(&self, import: &Import) -> Option<&'a PathBuf> {
        self.sources.files.get(&self.module(import)?.0)
    }

    /// The name that a `use` declaration gives to a module, and the module.
    fn alias(&self, import: &Import) -> Option<(Module, Module)> {
        let name = import.name.as_ref()?;
        let (module, is_whole) = self.module(import)?;
        is_whole.then(|| (child(&import.from, name), module))
    }
}

fn child(module: &[String], name: &String) -> Module {
    [module, std::slice::from_ref(name)].concat()
}

/// The shortest way from a file back to this file, a line for each arrow.
fn circle_of(arrows: &Arrows, start: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in arrows.get(at).into_iter().flat_map(BTreeMap::keys) {
            if !before.contains_key(next.as_str()) {
                before.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    let mut lines = Vec::new();
    let mut to = start;
    while lines.is_empty() || to != start {
        let from = before.get(to)?;
        lines.insert(0, format!("{from} -> {to} ({})", arrows[*from][to]));
        to = from;
    }
    Some(lines)
}

/// The shortest circle of all files.
pub(crate) fn shortest_circle(arrows: &Arrows) -> Option<Vec<String>> {
    arrows.keys().filter_map(|start| circle_of(arrows, start)).min_by_key(Vec::len)
}
