//! The pages that the fuzzing campaign kept (`corpus/`), and the captured pages of real libraries, have every property.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's own helpers fail the test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use fuzz_properties::{Depth, detection, reader};

/// Below this package.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn check(files: &[PathBuf], property: impl Fn(&[u8]) -> Result<()>) {
    for file in files {
        let page = fs::read(file).unwrap();
        property(&page).unwrap_or_else(|broken| panic!("{}: {broken:#}", file.display()));
    }
}

#[test]
fn the_kept_pages_of_the_reader_have_its_properties() {
    let kept = files("corpus/reader");
    assert!(kept.len() > 100, "{}", kept.len());
    check(&kept, reader::check);
}

#[test]
fn the_kept_pages_of_detection_have_its_properties() {
    let kept = files("corpus/detection");
    assert!(kept.len() > 100, "{}", kept.len());
    // Objects are built for some of them, so that this takes seconds.
    check(&kept, |page| detection::check(page, Depth::OneOf(4)));
}

#[test]
fn captured_pages_have_all_properties() {
    let captured: Vec<PathBuf> = files("../dialects")
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "pages"))
        // The larger ones have more of the same.
        .filter(|path| fs::metadata(path).unwrap().len() < 16 * 1024)
        .collect();
    assert!(captured.len() > 100, "{}", captured.len());
    check(&captured, reader::check);
    check(&captured, |page| detection::check(page, Depth::OneOf(8)));
}
