//! The programs that must come from the operating system. They are checked for the wanted level, and installed by apt-get if
//! this process runs as root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::shell;
use crate::tools::Level;

/// A program and the Debian package that has it.
type Row = (&'static str, &'static str);

const CONTROL_PLANE: &[Row] = &[("ip", "iproute2"), ("unshare", "util-linux")];
const NODE: &[Row] = &[("runc", "runc"), ("nft", "nftables"), ("nsenter", "util-linux")];
const TRACING: &[Row] = &[("strace", "strace")];
const SHELLS: &[Row] = &[("zsh", "zsh"), ("fish", "fish")];
const FORMATTER: &[Row] = &[("groff", "groff-base")];
const POSTGRES: &str = "postgresql";
const IMAGES: &[Row] = &[("buildah", "buildah")];

/// Makes sure that the programs of `level` are there.
pub(crate) fn ensure(level: Level) -> Result<()> {
    match level {
        Level::ControlPlane => ensure_rows(CONTROL_PLANE),
        Level::Node => {
            if !is_root() {
                bail!(
                    "--level node needs root, because it makes containers, network namespaces and cgroups: run it as root"
                );
            }
            ensure_rows(&[CONTROL_PLANE, NODE].concat())
        }
    }
}

/// What a node with its images, volumes and logs takes in the tests, and as much again (bytes).
const NODE_DISK: u64 = 2 << 30;

/// Makes sure that the disk of `folder`, under which the test beds live, holds a test bed of `level`. On a full one the kubelet
/// removes images and refuses pods, and tests fail far from the cause.
pub(crate) fn ensure_disk(folder: &Path, level: Level) -> Result<()> {
    let needed = match level {
        Level::ControlPlane => return Ok(()),
        Level::Node => NODE_DISK,
    };
    let disk =
        rustix::fs::statvfs(folder).with_context(|| format!("ask for the free space of {}", folder.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    match lack_of_disk(folder, free, needed) {
        Some(lack) => bail!("{lack}"),
        None => Ok(()),
    }
}

/// What to say of a disk with too little free space (bytes).
fn lack_of_disk(folder: &Path, free: u64, needed: u64) -> Option<String> {
    let mib = |bytes: u64| bytes >> 20;
    (free < needed).then(|| {
        format!(
            "the disk of {} has {} MiB free, and a test bed with nodes needs {}: remove what is not needed, for example old \
             builds with cargo clean",
            folder.display(),
            mib(free),
            mib(needed)
        )
    })
}

/// Makes sure that images can be built from a Dockerfile.
pub(crate) fn ensure_image_builder() -> Result<()> {
    ensure_rows(IMAGES)
}

/// The folder of PostgreSQL's server programs (`initdb`, `postgres`), which Debian keeps out of PATH.
///
/// # Errors
/// When they are missing and can't be installed; it names the package.
pub fn ensure_postgres() -> Result<PathBuf> {
    if let Some(folder) = find_postgres() {
        return Ok(folder);
    }
    install(&[POSTGRES])?;
    find_postgres().with_context(|| format!("postgres is missing: {}", advice(POSTGRES)))
}

/// Makes sure that `strace` is there.
///
/// # Errors
/// When it is missing and can't be installed; it names the package.
pub fn ensure_strace() -> Result<()> {
    ensure_rows(TRACING)
}

/// Makes sure that the shells for which there are completions are there, as far as Debian has them and a script of theirs can be
/// read without a terminal: bash is everywhere, elvish reads one in a terminal only.
///
/// # Errors
/// When one is missing and can't be installed; it names the package.
pub fn ensure_shells() -> Result<()> {
    ensure_rows(SHELLS)
}

/// Makes sure that `groff` is there, which formats man pages.
///
/// # Errors
/// When it is missing and can't be installed; it names the package.
pub fn ensure_groff() -> Result<()> {
    ensure_rows(FORMATTER)
}

/// Returns the folder of the newest version.
fn find_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
    let newest = versions
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max();
    match newest {
        Some((_, folder)) => Some(folder),
        None => Some(find_program("initdb")?.parent()?.to_owned()),
    }
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds a program in PATH or in the folders of system programs.
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
    install(&packages)?;
    let still = self::missing(rows);
    if still.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = still
        .iter()
        .map(|(program, package)| format!("{program} is missing: {}", advice(package)))
        .collect();
    bail!("{}", lines.join("\n"))
}

/// Installs packages if this process is root on Debian or a derivative; otherwise does nothing.
fn install(packages: &[&str]) -> Result<()> {
    if is_root() && Path::new("/usr/bin/apt-get").exists() {
        say(format_args!("installing {}", packages.join(" ")));
        apt_get(&["update"])?;
        apt_get(&[&["install", "--no-install-recommends", "-y"], packages].concat())?;
    }
    Ok(())
}

fn advice(package: &str) -> String {
    format!("sudo apt-get install --no-install-recommends {package}")
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{NODE_DISK, lack_of_disk};

    #[test]
    fn a_disk_with_too_little_space_is_told_with_both_figures() {
        let lack = |free| lack_of_disk(Path::new("/cache"), free, NODE_DISK);
        let text = lack(NODE_DISK - 1).unwrap_or_default();
        assert!(
            text.contains("/cache has 2047 MiB free") && text.contains("needs 2048"),
            "{text}"
        );
        assert_eq!(lack(NODE_DISK), None);
    }
}
