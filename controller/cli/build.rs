//! Compiles the runbooks of `docs/runbooks` into the program: the operator serves them, and `explain` prints them. One file an alert.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let folder = Path::new(&root).join("../../docs/runbooks");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut rows = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            rows.push((name, fs::read_to_string(&path)?));
        }
    }
    rows.sort();
    let mut table = String::from("&[\n");
    for (name, text) in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(table, "    ({name:?}, {text:?}),");
    }
    table.push(']');
    fs::write(Path::new(&out).join("runbooks.rs"), table)
}
