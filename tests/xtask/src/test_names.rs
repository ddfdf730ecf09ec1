//! Test names are plain sentences. A name that begins with `what_`, `who_` or `whoever_` is a riddle: it does not say what the
//! test is about.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use integration_tests::workspace;

/// Beginnings that no function may have.
const RIDDLES: [&str; 3] = ["what_", "who_", "whoever_"];

/// The functions in a folder's source files whose names begin so, each with its file.
fn riddles(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_source = name != "target" && !name.starts_with('.');
            found.extend(if is_source { riddles(&path)? } else { Vec::new() });
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path)?;
            let functions = text.lines().filter_map(|line| line.trim_start().split_once("fn "));
            let names = functions
                .filter(|(before, _)| before.is_empty() || before.ends_with("async "))
                .filter_map(|(_, rest)| rest.split('(').next());
            let wrong = names.filter(|name| RIDDLES.iter().any(|riddle| name.starts_with(riddle)));
            found.extend(wrong.map(|name| format!("{}: {name}", path.display())));
        }
    }
    Ok(found)
}

#[test]
fn test_names_do_not_begin_with_what_or_who() {
    let found = riddles(&workspace::root().unwrap()).unwrap();
    assert!(
        found.is_empty(),
        "name what the test is about, for example `unused_values_are_removed`:\n{}",
        found.join("\n")
    );
}
