//! What a program of this machine needs to run in an image of its own: its libraries and the files of its language.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::workspace;

/// The shared libraries of programs and libraries, as the loader finds them. One that is linked statically has none.
///
/// # Errors
/// When `ldd` can't be started.
pub fn libraries(programs: &[&Path]) -> Result<Vec<PathBuf>> {
    let mut ldd = Command::new("ldd");
    let output = ldd.args(programs).output().context("start ldd")?;
    // `libm.so.6 => /lib/…/libm.so.6 (0x…)`, or the loader itself by its path alone. With several programs, a line ending in a
    // colon names each.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.ends_with(':'));
    let paths = lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(|path| without_way_up(Path::new(path))).collect()
}

/// The path without `..`, which an archive can't have. Links on it stay, because the loader looks for them.
fn without_way_up(path: &Path) -> Result<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        fs::canonicalize(path).with_context(|| path.display().to_string())
    } else {
        Ok(path.to_owned())
    }
}

/// Adds every file below a folder, but those below folders of the names in `without`.
///
/// # Errors
/// When a folder can't be read.
pub fn below(folder: &Path, without: &[&str], all: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !without.contains(&name) {
                below(&path, without, all)?;
            }
        } else if path.exists() {
            all.insert(path);
        }
    }
    Ok(())
}

/// The files with their paths in the image, which are those on this machine.
///
/// # Errors
/// When one does not exist, or its path is not UTF-8.
pub fn image_files(paths: BTreeSet<PathBuf>) -> Result<Vec<(PathBuf, String)>> {
    let with_name = |path: PathBuf| {
        // A link is followed: its target's content under its own name.
        let source = fs::canonicalize(&path).with_context(|| path.display().to_string())?;
        let name = path.to_str().context("a path in UTF-8")?.to_owned();
        Ok((source, name))
    };
    paths.into_iter().map(with_name).collect()
}

/// The folder that a Python environment's interpreter has its standard library in.
///
/// # Errors
/// When it can't be started.
pub fn python_home(python: &Path) -> Result<PathBuf> {
    let mut ask = Command::new(python);
    let home = workspace::read(ask.args(["-c", "import sys; print(sys.base_prefix)"]))?;
    Ok(PathBuf::from(home.trim()))
}
