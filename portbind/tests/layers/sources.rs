//! The modules of a package, and the paths in their text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Ident, ItemMod, ItemUse, Meta, Token, UseTree, token};

/// The path of a module: the name of its root file, then names of modules.
pub(crate) type Module = Vec<String>;

/// A path in the text of a module.
pub(crate) struct Import {
    pub(crate) from: Module,
    pub(crate) path: Vec<String>,
    /// The name that a `use` declaration gives to the path.
    pub(crate) name: Option<String>,
}

/// The files of a package, by module, and the paths in the files.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) files: BTreeMap<Module, PathBuf>,
    pub(crate) imports: Vec<Import>,
}

impl Sources {
    /// Reads the root files below `folder`, and all files that they declare.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut sources = Self::default();
        let binaries = fs::read_dir(folder.join("bin")).into_iter().flatten();
        let binaries = binaries.map(|entry| entry.unwrap().path());
        for root in [folder.join("lib.rs"), folder.join("main.rs")].into_iter().chain(binaries) {
            if root.exists() {
                let name = root.file_stem().unwrap().to_str().unwrap().to_owned();
                let children = root.parent().unwrap().to_owned();
                Reader { sources: &mut sources, module: vec![name], file: root, children }.read();
            }
        }
        sources
    }
}

/// Reads a file, and the files of the modules that it declares.
struct Reader<'a> {
    sources: &'a mut Sources,
    module: Module,
    file: PathBuf,
    /// The folder with the files of child modules.
    children: PathBuf,
}

impl Reader<'_> {
    fn read(mut self) {
        self.file = fs::canonicalize(&self.file).unwrap();
        self.sources.files.insert(self.module.clone(), self.file.clone());
        let text = fs::read_to_string(&self.file).unwrap();
        self.visit_file(&syn::parse_file(&text).unwrap());
    }

    /// The file of a child module, and the folder with the files of its own child modules.
    fn declared(&self, node: &ItemMod, name: &str) -> (PathBuf, PathBuf) {
        if let Some(path) = node.attrs.iter().find_map(path_of) {
            let file = self.file.parent().unwrap().join(path);
            let children = file.parent().unwrap().to_owned();
            return (file, children);
        }
        let (children, file) = (self.children.join(name), self.children.join(format!("{name}.rs")));
        if file.exists() { (file, children) } else { (children.join("mod.rs"), children) }
    }

    fn import(&mut self, path: Vec<String>, name: Option<String>) {
        self.sources.imports.push(Import { from: self.module.clone(), path, name });
    }

    /// Takes the leaves of a tree of a `use` declaration.
    fn tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.tree(&part.tree, path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, path.clone())),
            UseTree::Name(leaf) => {
                path.extend(Some(leaf.ident.to_string()).filter(|name| name != "self"));
                let name = path.last().cloned();
                self.import(path, name);
            }
            UseTree::Rename(leaf) => {
                path.extend(Some(leaf.ident.to_string()).filter(|name| name != "self"));
                self.import(path, Some(leaf.rename.to_string()));
            }
            _ => self.import(path, Some("*".to_owned())),
        }
    }
}

/// The value of an attribute `#[path = "..."]`.
fn path_of(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
    pair.path.is_ident("path").then(|| text.value())
}

/// The paths of more than one name in the arguments of a macro or an attribute.
fn paths(input: ParseStream<'_>) -> syn::Result<Vec<Vec<String>>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        let inner;
        if input.peek(token::Paren) {
            syn::parenthesized!(inner in input);
            found.extend(paths(&inner)?);
        } else if input.peek(token::Brace) {
            syn::braced!(inner in input);
            found.extend(paths(&inner)?);
        } else if input.peek(token::Bracket) {
            syn::bracketed!(inner in input);
            found.extend(paths(&inner)?);
        } else if input.peek(Ident::peek_any) || input.peek(Token![::]) {
            found.extend(path(input)?);
        } else {
            input.step(|cursor| {
                let next = cursor.token_tree().map(|(_, rest)| ((), rest));
                next.ok_or_else(|| cursor.error("no token"))
            })?;
        }
    }
    Ok(found)
}

/// A path of more than one name, unless the path begins with `::`.
fn path(input: ParseStream<'_>) -> syn::Result<Option<Vec<String>>> {
    let is_global = input.peek(Token![::]);
    let mut names = Vec::new();
    if !is_global {
        names.push(input.call(Ident::parse_any)?.to_string());
    }
    while input.peek(Token![::]) {
        input.parse::<Token![::]>()?;
        if !input.peek(Ident::peek_any) {
            break;
        }
        names.push(input.call(Ident::parse_any)?.to_string());
    }
    Ok(Some(names).filter(|names| !is_global && names.len() > 1))
}

fn is_test(attributes: &[Attribute]) -> bool {
    let says_test = |meta: syn::Path| meta.is_ident("test");
    attributes.iter().any(|one| one.path().is_ident("cfg") && one.parse_args().is_ok_and(says_test))
}

/// Items under `#[cfg(test)]` are left out.
macro_rules! without_tests {
    ($($visit:ident $node:ident)*) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !is_test(&node.attrs) {
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader<'_> {
    without_tests! {
        visit_item_const ItemConst visit_item_enum ItemEnum visit_item_fn ItemFn visit_item_impl ItemImpl
        visit_item_static ItemStatic visit_item_struct ItemStruct visit_item_trait ItemTrait
        visit_item_type ItemType visit_impl_item_const ImplItemConst visit_impl_item_fn ImplItemFn
    }

    fn visit_item_use(&mut self, node: &'ast ItemUse) {
        if !is_test(&node.attrs) && node.leading_colon.is_none() {
            self.tree(&node.tree, Vec::new());
        }
    }

    fn visit_item_mod(&mut self, node: &'ast ItemMod) {
        if is_test(&node.attrs) {
            return;
        }
        let name = node.ident.to_string();
        let module = [&self.module[..], std::slice::from_ref(&name)].concat();
        if node.content.is_none() {
            let (file, children) = self.declared(node, &name);
            return Reader { sources: self.sources, module, file, children }.read();
        }
        self.sources.files.insert(module.clone(), self.file.clone());
        let outer = (std::mem::replace(&mut self.module, module), self.children.clone());
        self.children.push(name);
        visit::visit_item_mod(self, node);
        (self.module, self.children) = outer;
    }

    /// A path of one name is no path to a module.
    fn visit_path(&mut self, node: &'ast syn::Path) {
        if node.leading_colon.is_none() && node.segments.len() > 1 {
            self.import(node.segments.iter().map(|segment| segment.ident.to_string()).collect(), None);
        }
        visit::visit_path(self, node);
    }

    /// The place where an item is visible is no import.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, node: &'ast Attribute) {
        let paths = node.parse_args_with(paths);
        paths.into_iter().flatten().for_each(|path| self.import(path, None));
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let paths = node.parse_body_with(paths);
        paths.into_iter().flatten().for_each(|path| self.import(path, None));
    }
}
