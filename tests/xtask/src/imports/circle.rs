//! Circles in the imports of a crate's files.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

use integration_tests::workspace;

use crate::imports::module_tree::{Imports, ModuleTree};

/// The circles of a crate, each as a text: file by file, with the names that a file imports from the next one. Circles that
/// share a file count as one, and only the shortest of them is returned.
pub(crate) fn circles(tree: &ModuleTree) -> Vec<String> {
    let imports = tree.imports();
    let mut shortest: Vec<_> = imports
        .keys()
        .filter_map(|file| circle_through(&imports, file))
        .collect();
    shortest.sort_by_key(Vec::len);
    let mut seen = BTreeSet::new();
    shortest.retain(|circle| {
        let new = circle.iter().all(|file| !seen.contains(file));
        seen.extend(circle.iter().cloned());
        new
    });
    shortest.iter().map(|circle| show(&imports, circle)).collect()
}

/// The shortest circle through a file. The file is the first of the list and is not repeated at its end.
fn circle_through(imports: &Imports, start: &PathBuf) -> Option<Vec<PathBuf>> {
    let mut came_from: BTreeMap<&PathBuf, &PathBuf> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![file.clone()];
                let mut at = file;
                while let Some(before) = came_from.get(at) {
                    circle.push((*before).clone());
                    at = before;
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

fn show(imports: &Imports, circle: &[PathBuf]) -> String {
    let after = circle.iter().cycle().skip(1);
    let rows = circle.iter().zip(after).map(|(file, next)| {
        let names = imports.get(file).and_then(|row| row.get(next));
        let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
        format!(
            "\n  {} imports {} from {}",
            below_root(file),
            names.join(", "),
            below_root(next)
        )
    });
    format!("these files import each other in a circle:{}", rows.collect::<String>())
}

fn below_root(file: &Path) -> String {
    let root = workspace::root().unwrap_or_default();
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The circles of a crate that consists of these files.
    fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = ModuleTree::read(&folder.path().join("lib.rs")).unwrap();
        let prefix = format!("{}/", folder.path().display());
        circles(&tree)
            .iter()
            .map(|circle| circle.replace(&prefix, ""))
            .collect()
    }

    #[test]
    fn a_circle_of_two_files_is_reported_with_the_imports_of_each() {
        let found = circles_in(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::{First, Second}; pub struct Third;"),
            ("b.rs", "fn third() -> super::a::Third { todo!() }"),
        ]);
        let expected = "these files import each other in a circle:\n  a.rs imports First, Second from b.rs\n  b.rs imports Third from a.rs";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_circle_through_a_folder_or_a_macro_or_a_re_export_of_the_root_is_found() {
        let through_folder = circles_in(&[
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod part; pub struct Kind; fn f() { part::build() }"),
            ("a/part.rs", "use crate::b::Valid;"),
            ("b.rs", "use crate::a::Kind;"),
        ]);
        assert_eq!(through_folder.len(), 1, "{through_folder:?}");
        let in_macro = circles_in(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", r#"fn f() { println!("{}", crate::b::NAME) }"#),
            ("b.rs", "use crate::a::f;"),
        ]);
        assert_eq!(in_macro.len(), 1, "{in_macro:?}");
        let by_root = circles_in(&[
            ("lib.rs", "mod a; mod b; pub use b::Valid;"),
            ("a.rs", "use crate::Valid;"),
            ("b.rs", "use crate::a::f;"),
        ]);
        assert_eq!(by_root.len(), 1, "{by_root:?}");
    }

    #[test]
    fn imports_between_parent_and_child_and_in_tests_do_not_count_as_a_circle() {
        let found = circles_in(&[
            ("lib.rs", "mod a; mod b; use a::Kind; pub struct Root;"),
            ("a/mod.rs", "mod part; pub struct Kind; fn f() { part::build() }"),
            ("a/part.rs", "use super::Kind; use crate::Root; pub fn build() {}"),
            ("b.rs", "use crate::a::Kind;"),
            ("a/other.rs", ""),
        ]);
        assert_eq!(found, Vec::<String>::new());
        let tests = circles_in(&[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "#[cfg(test)] mod tests { use crate::b::f; } #[test] fn g() { crate::b::f() }",
            ),
            ("b.rs", "use crate::a::Kind;"),
        ]);
        assert_eq!(tests, Vec::<String>::new());
    }
}
