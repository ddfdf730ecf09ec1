//! An image of an installed program of `tests/dialects`: the program, and what its language needs of this machine.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use integration_tests::program_files::{below, image_files, libraries, python_home};
use testbed::{ImageSpec, write_image};

use crate::capture::{dialects::Runtime, install::Installed};

/// Folders of a language's own files that no service reads.
const UNUSED: [&str; 8] = [
    "test",
    "tests",
    "__pycache__",
    "include",
    "share",
    "jmods",
    "idlelib",
    "ensurepip",
];
/// Numeric, so that Kubernetes can tell that it is not root.
const USER: u32 = 65_534;
/// Libraries that are given to `ldd` at once.
const AT_A_TIME: usize = 200;

/// Writes the image of an installed program beside it; gives back the archive.
///
/// # Errors
/// When a file can't be read, or the archive can't be written.
pub(super) fn write(runtime: Runtime, installed: &Installed, reference: &str) -> Result<PathBuf> {
    let mut command = installed.command.clone();
    let first = command.first_mut().context("a command")?;
    *first = found(first)?;
    let program = PathBuf::from(&*first);
    let mut files = BTreeSet::new();
    for word in &command {
        let path = Path::new(word);
        if path.is_file() {
            files.insert(path.to_owned());
        }
    }
    add_language(runtime, installed, &program, &mut files)?;
    add_libraries(&mut files)?;
    let files = image_files(files)?;
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let spec = ImageSpec {
        reference,
        entrypoint: &words,
        env: &[
            ("HOST", "0.0.0.0"),
            ("PORT", if runtime == Runtime::Java { "8080" } else { "8000" }),
            ("VARIANT", "default"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("GIN_MODE", "release"),
        ],
        user: USER,
        files: files
            .iter()
            .map(|(source, path)| (source.clone(), path.as_str()))
            .collect(),
    };
    let tar = installed.folder.join("image.tar");
    write_image(&spec, &tar)?;
    Ok(tar)
}

/// The path of a program that is named without one.
fn found(program: &str) -> Result<String> {
    if program.starts_with('/') {
        return Ok(program.to_owned());
    }
    let path = std::env::var_os("PATH").context("PATH is set")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    let file = places.find(|file| file.is_file());
    let file = file.with_context(|| format!("{program} is not in PATH"))?;
    let file = fs::canonicalize(&file).with_context(|| file.display().to_string())?;
    Ok(file.to_string_lossy().into_owned())
}

/// Adds the files of the program's language and packages.
fn add_language(runtime: Runtime, installed: &Installed, program: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    below(&installed.folder.join("program"), &["target", "node_modules"], files)?;
    match runtime {
        Runtime::Python => {
            let home = python_home(program)?;
            below(&installed.folder.join("environment"), &UNUSED, files)?;
            // Packages of this machine are not those of the environment.
            let without = [&UNUSED[..], &["site-packages"]].concat();
            below(&home.join("lib"), &without, files)?;
            files.insert(home.join("bin/python3"));
        }
        Runtime::Node => {
            below(&installed.folder.join("node_modules"), &["test", "tests"], files)?;
            files.insert(installed.folder.join("package.json"));
        }
        Runtime::Java => {
            // …/bin/java
            let home = program.parent().and_then(Path::parent).context("a folder of Java")?;
            below(home, &["jmods", "include", "man", "docs"], files)?;
        }
        Runtime::Go | Runtime::Rust | Runtime::Traefik => {}
    }
    files.retain(|file| {
        file.extension()
            .is_none_or(|extension| extension != "a" && extension != "log")
    });
    Ok(())
}

/// Adds the libraries that the programs among the files are linked with.
fn add_libraries(files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let programs: Vec<PathBuf> = files.iter().filter(|file| is_elf(file)).cloned().collect();
    for programs in programs.chunks(AT_A_TIME) {
        let programs: Vec<&Path> = programs.iter().map(PathBuf::as_path).collect();
        let found = libraries(&programs)?;
        files.extend(found.into_iter().filter(|library| library.exists()));
    }
    Ok(())
}

fn is_elf(file: &Path) -> bool {
    let mut magic = [0; 4];
    let read = fs::File::open(file).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}
