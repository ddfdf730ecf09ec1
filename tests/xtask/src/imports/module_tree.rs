//! The modules of one crate, their files, and the names that one file imports from another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use syn::{Attribute, Item, ItemMod};

use crate::imports::paths::{self, ModulePath};

/// The largest number of re-exports that are followed from a name to the file that defines it.
const REEXPORTS: usize = 8;

/// The modules of a crate without its tests (`#[cfg(test)]`).
#[derive(Debug)]
pub(crate) struct ModuleTree {
    /// The file of each module. An inline module (`mod a { … }`) has the file of the module around it.
    files: BTreeMap<ModulePath, PathBuf>,
    /// The names that a module imports or re-exports, each with its path from the crate's root.
    imported: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
    /// All paths that a module names, from the crate's root.
    named: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

/// For each file of a crate the files that it imports from, with the imported names.
pub(crate) type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

impl ModuleTree {
    /// Reads a crate, beginning with its root file, for example `src/lib.rs`.
    ///
    /// # Errors
    /// Names the file that can't be read or parsed.
    pub(crate) fn read(entry: &Path) -> Result<Self> {
        let mut tree = Self {
            files: BTreeMap::new(),
            imported: BTreeMap::new(),
            named: BTreeMap::new(),
        };
        let children = entry.parent().context("the source file has no parent folder")?;
        tree.read_file(entry, children, Vec::new())?;
        Ok(tree)
    }

    /// Reads a module's file and then those of its child modules, which are in the folder `children`.
    fn read_file(&mut self, file: &Path, children: &Path, module: ModulePath) -> Result<()> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("parse {}", file.display()))?;
        self.read_items(&parsed.items, file, children, module)
    }

    fn read_items(&mut self, items: &[Item], file: &Path, children: &Path, module: ModulePath) -> Result<()> {
        let submodules: Vec<_> = items.iter().filter_map(submodule).collect();
        let names: BTreeSet<_> = submodules.iter().map(|child| child.ident.to_string()).collect();
        let found = paths::collect(items, &module, &names);
        self.files.insert(module.clone(), file.to_owned());
        self.imported.insert(module.clone(), found.imported);
        self.named.insert(module.clone(), found.named);
        for child in submodules {
            let name = child.ident.to_string();
            let below = children.join(&name);
            let path = module.iter().cloned().chain([name.clone()]).collect();
            match (&child.content, explicit_path(&child.attrs)) {
                (Some((_, items)), _) => self.read_items(items, file, &below, path)?,
                (None, Some(explicit)) => {
                    let folder = file.parent().context("the source file has no parent folder")?;
                    let target = folder.join(explicit);
                    let siblings = target
                        .parent()
                        .context("the source file has no parent folder")?
                        .to_owned();
                    self.read_file(&target, &siblings, path)?;
                }
                (None, None) => {
                    let flat = children.join(format!("{name}.rs"));
                    let target = if flat.exists() { flat } else { below.join("mod.rs") };
                    self.read_file(&target, &below, path)?;
                }
            }
        }
        Ok(())
    }

    /// The names that each file imports from each other one. Imports from a parent module are left out, because a module
    /// and its children count as one.
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, paths) in &self.named {
            let Some(from) = self.files.get(module) else { continue };
            for path in paths {
                let Some((target, name)) = self.target(module, path) else {
                    continue;
                };
                let Some(to) = self.files.get(&target) else { continue };
                if to != from && !module.starts_with(&target) {
                    let row = imports.entry(from.clone()).or_default();
                    row.entry(to.clone()).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// The module that a path leads to, and the name that is imported from it. A name that the module only re-exports is
    /// followed to the module that defines it.
    fn target(&self, from: &ModulePath, path: &ModulePath) -> Option<(ModulePath, String)> {
        let mut path = path.clone();
        for _ in 0..REEXPORTS {
            let depth = (0..=path.len()).rev().find(|depth| {
                let prefix = path.get(..*depth).unwrap_or_default();
                self.files.contains_key(prefix)
            })?;
            let (module, rest) = path.split_at(depth);
            let name = rest.first().or(module.last()).cloned().unwrap_or_default();
            let reexport = self.imported.get(module).and_then(|names| names.get(&name));
            match reexport {
                Some(next) if from.starts_with(module) && *next != path => {
                    path = next.iter().cloned().chain(rest.iter().skip(1).cloned()).collect();
                }
                Some(_) | None => return Some((module.to_vec(), name)),
            }
        }
        None
    }
}

/// The module that an item declares, unless it exists in tests only.
fn submodule(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(module) if !paths::only_for_tests(&module.attrs) => Some(module),
        _ => None,
    }
}

/// The value of `#[path = "…"]`.
fn explicit_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let pair = attribute.meta.require_name_value().ok()?;
        match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) if pair.path.is_ident("path") => Some(text.value()),
            _ => None,
        }
    })
}
