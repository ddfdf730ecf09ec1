//! The paths that a module's code names: `use` trees, paths in expressions and types, and paths inside of macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item, ItemMod, Macro, Path, UseTree, visit::Visit};

/// A path from the crate's root, without `crate`: of a module, or of an item in one.
pub(crate) type ModulePath = Vec<String>;

/// The names of its own crate that a module uses.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Imported name → its path.
    pub(crate) imported: BTreeMap<String, ModulePath>,
    pub(crate) named: BTreeSet<ModulePath>,
}

/// Collects the paths of a module's items, without those of its submodules and tests.
pub(crate) fn collect(items: &[Item], module: &ModulePath, submodules: &BTreeSet<String>) -> Found {
    let mut collector = Collector {
        module,
        submodules,
        found: Found::default(),
    };
    for item in items {
        collector.visit_item(item);
    }
    collector.found
}

/// Whether an item exists in tests only.
pub(crate) fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<Path>()
                    .is_ok_and(|condition| condition.is_ident("test"))
    })
}

struct Collector<'a> {
    module: &'a ModulePath,
    submodules: &'a BTreeSet<String>,
    found: Found,
}

impl Collector<'_> {
    /// The path from the crate's root, if it leads into this crate.
    fn absolute(&self, segments: &[String]) -> Option<ModulePath> {
        let (first, rest) = segments.split_first()?;
        let mut path = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.module.clone(),
            name if self.submodules.contains(name) => {
                return Some(self.module.iter().chain(segments).cloned().collect());
            }
            _ => return None,
        };
        if first == "super" {
            path.pop()?;
        }
        for segment in rest {
            if segment == "super" {
                path.pop()?;
            } else if segment != "self" {
                path.push(segment.clone());
            }
        }
        Some(path)
    }

    fn name(&mut self, segments: &[String]) {
        // A single word, `self` or `crate`, imports nothing from another file.
        if segments.len() > 1
            && let Some(path) = self.absolute(segments)
        {
            self.found.named.insert(path);
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |ident: &syn::Ident| -> Vec<String> { prefix.iter().cloned().chain([ident.to_string()]).collect() };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, prefix)),
            UseTree::Name(name) if name.ident == "self" => {
                self.import_as(prefix.last().cloned().unwrap_or_default(), prefix);
            }
            UseTree::Name(name) => self.import_as(name.ident.to_string(), &with(&name.ident)),
            UseTree::Rename(rename) => self.import_as(rename.rename.to_string(), &with(&rename.ident)),
            UseTree::Glob(_) => self.name(prefix),
        }
    }

    fn import_as(&mut self, name: String, segments: &[String]) {
        self.name(segments);
        if let Some(path) = self.absolute(segments) {
            self.found.imported.insert(name, path);
        }
    }

    /// Collects paths that begin with `crate`, `self` or `super` from the tokens of a macro call.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Ident(ident) => {
                    self.name(&path);
                    path = vec![ident.to_string()];
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.name(&std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.name(&std::mem::take(&mut path)),
            }
        }
        self.name(&path);
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !only_for_tests(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    // A submodule is collected on its own.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name(&segments);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.tokens(invocation.tokens.clone());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
