//! Cargo, started by a program that Cargo itself started.

use std::process::Command;

/// What Cargo tells a program of the package that it belongs to, beside `CARGO_PKG_*`.
const OF_A_PACKAGE: [&str; 7] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

/// The Cargo that started this program, or the one on the path. It is told nothing of this program's package: build
/// scripts such as ring's run again, and all that depends on them is built again, when one of these variables changes.
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
