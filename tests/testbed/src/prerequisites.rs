//! What must come from the operating system: checked for the level that was asked for, installed by apt-get if root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::say::say;
use crate::shell;
use crate::tools::Level;

/// A program and the Debian package that has it.
type Row = (&'static str, &'static str);

const CONTROL_PLANE: &[Row] = &[("ip", "iproute2"), ("unshare", "util-linux")];
const NODE: &[Row] = &[("runc", "runc"), ("nft", "nftables"), ("nsenter", "util-linux")];
const IMAGES: &[Row] = &[("buildah", "buildah")];

/// Makes sure that the programs of `level` are there.
pub(crate) fn ensure(level: Level) -> Result<()> {
    match level {
        Level::ControlPlane => ensure_rows(CONTROL_PLANE),
        Level::Node => {
            if !is_root() {
                bail!("level node needs root: containers, network namespaces and cgroups are made");
            }
            ensure_rows(&[CONTROL_PLANE, NODE].concat())
        }
    }
}

/// Makes sure that images can be built from a Dockerfile.
pub(crate) fn ensure_image_builder() -> Result<()> {
    ensure_rows(IMAGES)
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds a program in PATH, or where system programs are even if PATH doesn't say so.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

fn ensure_rows(rows: &[Row]) -> Result<()> {
    let missing = missing(rows);
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    if is_root() && Path::new("/usr/bin/apt-get").exists() {
        say(format_args!("installing {}", packages.join(" ")));
        apt_get(&["update"])?;
        apt_get(&[&["install", "--no-install-recommends", "-y"], packages.as_slice()].concat())?;
    }
    let still = self::missing(rows);
    if still.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = still
        .iter()
        .map(|(program, package)| {
            format!("{program} is missing: sudo apt-get install --no-install-recommends {package}")
        })
        .collect();
    bail!("{}", lines.join("\n"))
}

fn missing(rows: &[Row]) -> Vec<Row> {
    rows.iter()
        .filter(|(program, _)| find_program(program).is_none())
        .copied()
        .collect()
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    shell::run(
        Command::new("apt-get")
            .arg("-qq")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    Ok(())
}
