//! Starts Cargo from a program that Cargo itself started.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::shell;

/// Variables by which Cargo tells a program its package, beside `CARGO_PKG_*`.
const OF_A_PACKAGE: [&str; 7] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

/// The Cargo that started this program, or the one in PATH. The variables of this program's package are removed, because
/// build scripts such as ring's, and everything that depends on them, run again when one of these variables changes.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let of_a_package = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || OF_A_PACKAGE.contains(&name));
        if of_a_package {
            command.env_remove(name);
        }
    }
    command
}

/// The folder of the running program's profile, for example `target/debug`. A test's program is in a folder of that one.
pub fn profile_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the program has no parent folder")?;
    let profile = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    Ok(profile.to_owned())
}

/// The packages of the programs: when all are named, Cargo builds each with the features of all, so whatever they depend on is
/// built once, and is there already when `cargo xtask` runs.
pub const PROGRAMS: [&str; 6] = ["--package", "xtask", "--package", "app", "--package", "controller"];

/// Builds a program of the workspace in the running program's profile and returns its path.
pub fn build_program(package: &str, name: &str) -> Result<PathBuf> {
    let folder = profile_dir()?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = cargo();
    command.args(["build", "--quiet", "--locked", "--manifest-path", manifest]);
    command
        .args(PROGRAMS)
        .args(["--package", package, "--bin", name, "--profile", profile]);
    shell::run(&mut command)?;
    Ok(folder.join(name))
}
